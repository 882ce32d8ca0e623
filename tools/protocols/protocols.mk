# SPDX-License-Identifier: GPL-2.0-only
# Versions of the protocol on one simulator, included by tools/Makefile.
#   make protosim       the program
#   make compare        every scenario under every version, writes the document
#   make compare-seeds  V2 alone, COMPARE_SEEDS times each
#   make compare-check  the same, and says whether the document is stale
PROTO_SRC	:= $(sort $(wildcard protocols/*.c))
PROTO_OBJ	:= $(PROTO_SRC:protocols/%.c=$(OUT)/sim/proto_%.o)
PROTO_HDR	:= $(wildcard protocols/*.h)

protosim: $(OUT)/sim/protosim

$(OUT)/sim/proto_%.o: protocols/%.c $(PROTO_HDR) $(SIM_HDR) $(CORE_HDR) | $(OUT)/sim
	$(CC) $(CFLAGS_SIM) $(SIM_INC) -c -o $@ $<

$(OUT)/sim/protosim: $(PROTO_OBJ) $(filter-out $(OUT)/sim/distsim.o,$(SIM_OBJ)) \
		$(CORE_A_SIM)
	$(CC) $(CFLAGS_SIM) -o $@ $^

PROTO_SCENARIOS	:= $(sort $(wildcard protocols/scenarios/*.txt))
COMPARISON	:= ../docs/design/comparison.md

# writes docs/design/comparison.md from the runs, if every run shows what it must
# last lines: versions: N scenarios, N runs
#             N passed, N failed, N skipped
compare: $(OUT)/sim/protosim
	@$(OUT)/sim/protosim --write $(COMPARISON) $(PROTO_SCENARIOS)

# the same, and fails if the document is not what the runs say
compare-check: $(OUT)/sim/protosim
	@$(OUT)/sim/protosim --check $(COMPARISON) $(PROTO_SCENARIOS)

# V2 in other fates of every scenario
COMPARE_SEEDS	?= 50
compare-seeds: $(OUT)/sim/protosim
	@$(OUT)/sim/protosim --seeds $(COMPARE_SEEDS) $(PROTO_SCENARIOS)

all: protosim

.PHONY: protosim compare compare-check compare-seeds
