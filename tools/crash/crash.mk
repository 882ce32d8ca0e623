# SPDX-License-Identifier: GPL-2.0-only
# Crash images of recorded logs, included by tools/Makefile.
#   make crash          a million images and more
#   make crash-quick    a part of them
#   make crash-mutants  each broken rule of recovery must give divergences
#   make crash-record   record anew, in a guest (top Makefile)
CRASH_IMAGES	?= 1000000
CRASH_HDR	:= $(wildcard crash/*.h) logread.h
CRASH_SRC	:= $(sort $(wildcard crash/*.c)) logread.c sim/rng.c
CRASH_OBJ	:= $(patsubst %.c,$(OUT)/crash/%.o,$(notdir $(CRASH_SRC)))
CRASH_CORE	:= $(filter-out %/port_user.o,$(CORE_OBJ_SIM))
CRASH_RECS	:= $(sort $(wildcard crash/recordings/*.rec.xz))
# what the layout says, not what is said about it
CRASH_FORMAT	:= $(shell $(CC) -fpreprocessed -dD -E -P ../kmod/format/disk.h | \
	sha256sum | cut -c 1-16)
CFLAGS_CRASH	:= $(CFLAGS_SIM) -I../kmod -I../kmod/core -I. -Icrash

$(OUT)/crash:
	@mkdir -p $@

$(OUT)/crash/%.o: crash/%.c $(CRASH_HDR) $(CORE_HDR) | $(OUT)/crash
	$(CC) $(CFLAGS_CRASH) -c -o $@ $<

$(OUT)/crash/main.o: private CFLAGS_CRASH += -DCRASH_FORMAT='"$(CRASH_FORMAT)"'

$(OUT)/crash/%.o: sim/%.c $(CRASH_HDR) $(CORE_HDR) | $(OUT)/crash
	$(CC) $(CFLAGS_CRASH) -c -o $@ $<

$(OUT)/crash/%.o: %.c $(CRASH_HDR) $(CORE_HDR) | $(OUT)/crash
	$(CC) $(CFLAGS_CRASH) -c -o $@ $<

# beside distsim and swbwal: that is where guests look
$(OUT)/sim/swbcrash: $(CRASH_OBJ) $(CRASH_CORE)
	$(CC) $(CFLAGS_SIM) -o $@ $^

crash-tool: $(OUT)/sim/swbcrash

# last lines: crash: N images, N divergent
#             N passed, N failed, N skipped
crash: $(OUT)/sim/swbcrash
	@$(OUT)/sim/swbcrash run --images $(CRASH_IMAGES) $(CRASH_RECS)

crash-quick: $(OUT)/sim/swbcrash
	@$(OUT)/sim/swbcrash run --images 100000 --stride 16 $(CRASH_RECS)

crash-mutants: $(OUT)/sim/swbcrash
	@crash/mutate --build $(OUT)

all: crash-tool

.PHONY: crash-tool crash crash-quick crash-mutants
