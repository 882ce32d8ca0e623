# SPDX-License-Identifier: GPL-2.0-only
# Thin on purpose: each target is one script or one sub-directory.

KVER ?= $(shell uname -r)
# a machine whose own kernel has no headers builds for Debian's
ifneq ($(wildcard /lib/modules/$(KVER)/build/Makefile),)
KDIR ?= /lib/modules/$(KVER)/build
else
KDIR ?= $(firstword $(wildcard /lib/modules/6.1.*-amd64/build) /lib/modules/$(KVER)/build)
endif
KERNEL ?= 6.1
GROUP ?=
# LONG=1: the tests of the long tier as well
long = $(if $(LONG),SWB_LONG=1 )
prefix ?= /usr/local
export DESTDIR prefix V

RELEASE = $(shell cat $(KDIR)/include/config/kernel.release)
KO = build/$(RELEASE)/swblock.ko

.PHONY: all help deps module ctl tools bpf helpers test sim qemu check-debug lint check demo
.PHONY: bench failover teardown eventsim gate compare mutants crash crash-quick crash-mutants crash-record
.PHONY: install uninstall insert remove clean

all: module ctl tools bpf	## build the module, swblockctl, the tools and swblock-lat

help:			## show this
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14
	@echo
	@echo "Variables: KDIR= KVER= (kernel to build for)  W=1 C=1 V=1 (as in kbuild)"
	@echo "           GROUP= KERNEL=6.1|6.12 LONG=1 (for qemu)  DESTDIR= prefix= (for install)"

deps:			## install all Debian packages, unpack guest kernels into the cache
	@scripts/setup-deps

module:			## build/<release>/swblock.ko for KDIR
	+@scripts/build-module $(KDIR) $(if $(W),W=$(W)) $(if $(C),C=$(C))

ctl:			## swblockctl
	+@$(MAKE) --no-print-directory -C ctl

tools:			## simulators, swbwal, unit tests
	+@$(MAKE) --no-print-directory -C tools

bpf:			## the BPF program and swblock-lat
	+@$(MAKE) --no-print-directory -C bpf

helpers:		## C parts of the selftests
	+@$(MAKE) --no-print-directory -C selftests

test:			## unit tests in userspace, under a minute
	+@$(MAKE) --no-print-directory -C tools test
	+@$(MAKE) --no-print-directory -C ctl test
	+@$(MAKE) --no-print-directory -C bpf test

sim:			## what once failed, all scenarios and versions, 100,000 random seeds
	+@$(MAKE) --no-print-directory -C tools sim

crash:			## a million crash images of recorded logs, recovered and compared
	+@$(MAKE) --no-print-directory -C tools crash

crash-quick:		## a tenth of them
	+@$(MAKE) --no-print-directory -C tools crash-quick

crash-mutants:		## each broken rule of recovery must be noticed by them
	+@$(MAKE) --no-print-directory -C tools crash-mutants

crash-record: ctl tools helpers	## record the logs anew in a guest, when the disk format has moved on
	@scripts/build-module 6.1
	@tools/crash/record

gate: tools		## the protocol gate: scenarios, invariants, mutants, coverage, promises
	@scripts/gate-protocol

compare:		## V1, V1.5, V2 and a bitmap protocol compared, into docs/design/comparison.md
	+@$(MAKE) --no-print-directory -C tools compare

mutants:		## break one rule of the core at a time; NAME= QUICK=1 WRITE=1
	+@$(MAKE) --no-print-directory -C tools mutants NAME="$(NAME)"

eventsim:		## every order of concurrent events, to stated depths
	+@$(MAKE) --no-print-directory -C tools eventsim-check

qemu: ctl tools bpf helpers	## selftests in a QEMU guest: GROUP="basic repl" KERNEL=6.12 LONG=1
	@scripts/build-module $(KERNEL)
	@selftests/walmodel/build $(KERNEL)
	@$(long)scripts/vm test --kernel $(KERNEL) $(if $(V),--verbose) $(GROUP)

check-debug: ctl tools bpf helpers	## selftests under user-mode Linux: KASAN, lockdep, atomic sleep; GROUP= LONG=1
	@scripts/build-uml
	@scripts/build-module uml
	@selftests/walmodel/build uml
	@$(long)scripts/vm test --uml $(if $(V),--verbose) $(GROUP)

failover: ctl tools helpers	## primaries killed under load, daemons promote: debug guest, ROUNDS=200
	@scripts/build-uml
	@scripts/build-module uml
	@SWB_ROUNDS=$(or $(ROUNDS),200) SWB_TEST_TIMEOUT=$(shell expr 300 + 60 \* $(or $(ROUNDS),200)) \
		scripts/vm test --uml --verbose test_failover_01

teardown: ctl tools helpers	## the teardown matrix, all 96 cells, in the debug guest
	@scripts/build-uml
	@scripts/build-module uml
	@scripts/vm test --uml --verbose $(basename $(notdir $(wildcard selftests/test_teardown_[2-6]?.sh)))

bench: ctl		## against raw, dm-linear, DRBD 8.4, md over nbd: ROUNDS=5 SECONDS=2
	@scripts/setup-deps bench
	@scripts/build-module 6.1
	@mkdir -p build/bench
	$(CC) -O2 -Wall -Wextra -std=gnu11 -o build/bench/pingpong tools/bench/pingpong.c
	@scripts/bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS)) \
		$(if $(WORKLOADS),--workloads $(WORKLOADS)) $(if $(TARGETS),--targets $(TARGETS))

lint:			## checkpatch, sparse, W=1, shellcheck, headers, layers, purity
	@scripts/lint

check:			## all of the above; the last line is N passed, N failed, N skipped
	@scripts/check

demo: deps		## three nodes: lose the primary, wipe a disk, verify; STORE=etcd: three guests
	@scripts/demo

install: all		## into DESTDIR and prefix; the module into /lib/modules
	install -d $(DESTDIR)/lib/modules/$(RELEASE)/extra
	install -m 644 $(KO) $(DESTDIR)/lib/modules/$(RELEASE)/extra/
	$(if $(DESTDIR),,/sbin/depmod $(RELEASE))
	+$(MAKE) -C ctl install
	+$(MAKE) -C tools install
	+$(MAKE) -C bpf install

uninstall:		## undo install
	rm -f $(DESTDIR)/lib/modules/$(RELEASE)/extra/swblock.ko
	$(if $(DESTDIR),,/sbin/depmod $(RELEASE))
	+$(MAKE) -C ctl uninstall
	+$(MAKE) -C tools uninstall
	+$(MAKE) -C bpf uninstall

insert: module		## load the module that was just built
	insmod $(KO)

remove:			## unload it
	rmmod swblock

clean:			## remove what was built (the cache stays)
	rm -rf build
	-+@$(MAKE) --no-print-directory -C ctl clean
	-+@$(MAKE) --no-print-directory -C tools clean
	-+@$(MAKE) --no-print-directory -C bpf clean
