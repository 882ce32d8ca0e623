# SPDX-License-Identifier: GPL-2.0-only
# Versions of the protocol on one simulator, included by tools/Makefile.
#   make protosim       the program
#   make compare        every scenario under every version, and the document
PROTO_SRC	:= $(sort $(wildcard protocols/*.c))
PROTO_OBJ	:= $(PROTO_SRC:protocols/%.c=$(OUT)/sim/proto_%.o)
PROTO_HDR	:= $(wildcard protocols/*.h)

protosim: $(OUT)/sim/protosim

$(OUT)/sim/proto_%.o: protocols/%.c $(PROTO_HDR) $(SIM_HDR) $(CORE_HDR) | $(OUT)/sim
	$(CC) $(CFLAGS_SIM) $(SIM_INC) -c -o $@ $<

$(OUT)/sim/protosim: $(PROTO_OBJ) $(filter-out $(OUT)/sim/distsim.o,$(SIM_OBJ)) \
		$(CORE_A_SIM)
	$(CC) $(CFLAGS_SIM) -o $@ $^

all: protosim

.PHONY: protosim compare
