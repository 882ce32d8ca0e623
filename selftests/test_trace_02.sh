#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tracepoints tell what the histograms count, and every event of the protocol: epoch,
# role, link, the decision about a peer, its state, refusals, checkpoints.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/trace.sh"

load_module
[ -d $trace/events/swblock ] || skip "no tracepoints in this kernel"
# shellcheck disable=SC2016 # those quotes are the table's
documented=$(sed -n 's/^| `\(swblock_[a-z_]*\)` | `.*/\1/p' \
	"$SWB_TOP/docs/design/observability.md" | sort)
here=$(find $trace/events/swblock -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)
check_same "the kernel has the documented events" "$documented" "$here"

fresh a b
trace_on
assign best_effort
need promote a
must link_members a b
poll_until 20 in_sync a b || die "b does not come in sync"
writes a 100 32
need dd if=/dev/zero of="$(bd a)" bs=4k seek=200 count=1 oflag=direct conv=notrunc,fsync \
	status=none
need dd if="$(bd a)" of=/dev/null bs=4k skip=100 count=4 iflag=direct status=none
check "written back" poll_until 20 written_back a
commits() { stage_is a commit "$(stage a admit)"; }
check "C has passed all" poll_until 20 commits
a=$(st a .volume_id)
# stages in the order of their numbers
names=(- admit append persist ship peer-receive peer-persist ack commit complete barrier read)
declare -A counted
for i in $(seq 1 11); do
	counted[$i]=$(stage a "${names[$i]}")
done
need swblockctl unlink vol/a b
check "the peer is gone" poll_until 20 detached a b
trace_take

for i in $(seq 1 11); do
	check_same "events of ${names[$i]} are what the histogram counted" "${counted[$i]}" \
		"$(events stage "volume=$a peer=[0-9]+ stage=$i " nrec)"
done
check "durations are there" seen stage "stage=9 nrec=1 lsn=[1-9][0-9]* bytes=4096 ns=[1-9]"
check "a checkpoint" seen checkpoint "volume=$a lo=[1-9]"
check "epoch 1 is adopted" seen epoch "volume=$a epoch=1 "
check "the role: primary" seen role "volume=$a role=2 epoch=1 "
check "the link comes" seen link "volume=$a peer=1 up=1 "
check "how to go on is decided" seen catchup "volume=$a peer=1 "
check "with a letter, in sync" seen peer "volume=$a peer=1 state=3 letter=[1-9]"
check "the link goes, unlinked" seen link "volume=$a peer=1 up=0 reason=1\$"
check "conditions" seen conditions "volume=$a conditions="
check "facts of the core" seen step "volume=$a event="
check "its orders" seen action "volume=$a action="
check "groups" seen group "volume=$a first_lsn=[1-9]"
check "requests" seen request "volume=$a lsn=[1-9]"
finish
