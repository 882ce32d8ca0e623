# SPDX-License-Identifier: GPL-2.0-only
# Simulators and swbwal, included by tools/Makefile.
#   make sim            every scenario, all versions, then SIM_SEEDS random runs
#   make sim-shrink     failing runs of broken rules become short histories
#   make sim-mutants    each broken executor must be caught
#   make swbwal         the offline tool
SIM_SEEDS	?= 100000
SIM_INC		:= -I../kmod -I../kmod/core -I. -Isim
SIM_HDR		:= $(wildcard sim/*.h) logread.h walimage.h
SIM_SRC		:= $(sort $(wildcard sim/*.c)) logread.c distsim.c
SIM_OBJ		:= $(patsubst %.c,$(OUT)/sim/%.o,$(notdir $(SIM_SRC)))
SCENARIOS	:= $(sort $(wildcard scenarios/*.txt))

distsim: $(OUT)/sim/distsim
swbwal: $(OUT)/sim/swbwal

$(OUT)/sim/%.o: sim/%.c $(SIM_HDR) $(CORE_HDR) | $(OUT)/sim
	$(CC) $(CFLAGS_SIM) $(SIM_INC) -c -o $@ $<

$(OUT)/sim/%.o: %.c $(SIM_HDR) $(CORE_HDR) | $(OUT)/sim
	$(CC) $(CFLAGS_SIM) $(SIM_INC) -c -o $@ $<

# what a replay line names; written anew only when it differs
$(OUT)/sim/build_id.c: FORCE | $(OUT)/sim
	@printf 'extern const char sim_build_id[];\nconst char sim_build_id[] = "commit %s, sources %s";\n' \
		"$$(git describe --always --dirty 2>/dev/null || echo none)" \
		"$$(cat $(CORE_SRC) $(CORE_HDR) $(SIM_SRC) $(SIM_HDR) | sha256sum | cut -c1-12)" >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(OUT)/sim/build_id.o: $(OUT)/sim/build_id.c
	$(CC) $(CFLAGS_SIM) -c -o $@ $<

$(OUT)/sim/distsim: $(SIM_OBJ) $(OUT)/sim/build_id.o $(CORE_A_SIM)
	$(CC) $(CFLAGS_SIM) -o $@ $^

$(OUT)/sim/swbwal: $(OUT)/sim/swbwal.o $(OUT)/sim/walimage.o \
		$(OUT)/sim/logread.o $(CORE_A_SIM)
	$(CC) $(CFLAGS_SIM) -o $@ $^

# last lines: sim: N scenarios, N seeds, N events, N violations, N events/s
#             N passed, N failed, N skipped
sim: $(OUT)/sim/distsim $(OUT)/sim/protosim
	@sim/run-all $(SIM_SEEDS)

sim-shrink: $(OUT)/sim/distsim
	@sim/shrink-mutants

sim-mutants: $(OUT)/sim/distsim
	@$(OUT)/sim/distsim --mutants

# test_swbwal.sh looks at disks that a scenario leaves behind
test: distsim swbwal

all: distsim swbwal

prefix	?= /usr/local
sbindir	?= $(prefix)/sbin
mandir	?= $(prefix)/share/man

install: swbwal
	install -D -m 755 $(OUT)/sim/swbwal $(DESTDIR)$(sbindir)/swbwal
	install -D -m 644 ../ctl/man/swbwal.8 $(DESTDIR)$(mandir)/man8/swbwal.8

uninstall:
	rm -f $(DESTDIR)$(sbindir)/swbwal $(DESTDIR)$(mandir)/man8/swbwal.8

FORCE:

.PHONY: FORCE install uninstall distsim swbwal sim sim-shrink sim-mutants
