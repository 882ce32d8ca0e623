# SPDX-License-Identifier: GPL-2.0-only
# conform, which does the steps of a flight record again; included by tools/Makefile.
CONFORM_HDR	:= conform/steptext.h $(CORE_HDR)
CONFORM_SRC	:= $(sort $(wildcard conform/*.c))

$(OUT)/sim/conform: $(CONFORM_SRC) $(CONFORM_HDR) $(CORE_A_SIM) | $(OUT)/sim
	$(CC) $(CFLAGS_SIM) -I../kmod -Iconform -o $@ $(CONFORM_SRC) $(CORE_A_SIM)

$(OUT)/test/conform: $(CONFORM_SRC) $(CONFORM_HDR) $(CORE_A_TEST) | $(OUT)/test
	$(CC) $(CFLAGS_TEST) -I../kmod -Iconform -o $@ $(CONFORM_SRC) $(CORE_A_TEST)

conform: $(OUT)/sim/conform

all: conform

test: $(OUT)/test/conform

.PHONY: conform
