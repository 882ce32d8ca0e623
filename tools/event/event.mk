# SPDX-License-Identifier: GPL-2.0-only
# eventsim and the enumeration of peer recovery, included by tools/Makefile.

# test_pairs with large bounds, without sanitizers
$(OUT)/sim/test_pairs: tests/test_pairs.c tests/harness.h $(CORE_A_SIM)
	$(CC) $(CFLAGS_SIM) -Itests -I$(CORE) -o $@ $< $(CORE_A_SIM)

# last line: N passed, N failed, N skipped
pairs: $(OUT)/sim/test_pairs
	@$(OUT)/sim/test_pairs | grep '^#'
	@./tests/run $(OUT)/sim/test_pairs

.PHONY: pairs
