# SPDX-License-Identifier: GPL-2.0-only
# histcheck, the judge of failover loops, included by tools/Makefile. Without the
# sanitizers for guests, with them for its tests.
HIST_HDR	:= hist/hist.h
HIST_SRC	:= $(sort $(wildcard hist/*.c))

$(OUT)/sim/histcheck: $(HIST_SRC) $(HIST_HDR) | $(OUT)/sim
	$(CC) $(CFLAGS_SIM) -Ihist -o $@ $(HIST_SRC)

$(OUT)/test/histcheck: $(HIST_SRC) $(HIST_HDR) | $(OUT)/test
	$(CC) $(CFLAGS_TEST) -Ihist -o $@ $(HIST_SRC)

histcheck: $(OUT)/sim/histcheck

all: histcheck

test: $(OUT)/test/histcheck

.PHONY: histcheck
