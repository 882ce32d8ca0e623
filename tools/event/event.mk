# SPDX-License-Identifier: GPL-2.0-only
# eventsim and the enumeration of peer recovery, included by tools/Makefile.
#   make eventsim-check    every script: all orders, to the stated depth
#   make eventsim-compare  the reduction against the full enumeration
#   make pairs             peer recovery over all states, large bounds
EVENT_INC	:= -I../kmod -I../kmod/core -I. -Ievent
EVENT_HDR	:= $(wildcard event/*.h)
EVENT_SRC	:= $(sort $(wildcard event/*.c)) eventsim.c
EVENTSIM_OBJ	:= $(patsubst %.c,$(OUT)/event/%.o,$(notdir $(EVENT_SRC)))
EVENT_SCRIPTS	:= $(sort $(wildcard event/scripts/*.txt))

$(OUT)/event:
	@mkdir -p $@

$(OUT)/event/%.o: event/%.c $(EVENT_HDR) $(CORE_HDR) | $(OUT)/event
	$(CC) $(CFLAGS_SIM) $(EVENT_INC) -c -o $@ $<

$(OUT)/event/eventsim.o: eventsim.c $(EVENT_HDR) $(CORE_HDR) | $(OUT)/event
	$(CC) $(CFLAGS_SIM) $(EVENT_INC) -c -o $@ $<

$(OUT)/event/eventsim: $(EVENTSIM_OBJ) $(CORE_A_SIM)
	$(CC) $(CFLAGS_SIM) -o $@ $(EVENTSIM_OBJ) $(CORE_A_SIM)

eventsim: $(OUT)/event/eventsim

# last lines: eventsim: N scripts, N orders, N states, N violations
#             N passed, N failed, N skipped
eventsim-check: $(OUT)/event/eventsim
	@$(OUT)/event/eventsim $(EVENT_SCRIPTS)

eventsim-compare: $(OUT)/event/eventsim
	@$(OUT)/event/eventsim --compare $(EVENT_SCRIPTS)

all: eventsim

# test_pairs with large bounds, without sanitizers
$(OUT)/sim/test_pairs: tests/test_pairs.c tests/harness.h $(CORE_A_SIM)
	$(CC) $(CFLAGS_SIM) -Itests -I$(CORE) -o $@ $< $(CORE_A_SIM)

# last line: N passed, N failed, N skipped
pairs: $(OUT)/sim/test_pairs
	@$(OUT)/sim/test_pairs | grep '^#'
	@./tests/run $(OUT)/sim/test_pairs

.PHONY: eventsim eventsim-check eventsim-compare pairs
