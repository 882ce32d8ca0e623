#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# Members come and go by declaration: a third one is formatted, attached and
# brought in sync, then required; another one leaves and is detached.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

mode=sync_all shrink_ms=0
members_are()
{
	[ "$(rec '[.config.members[] | select(.required) | .label] | sort | join(",")')" = "$1" ] && settled
}

detached()
{
	! attached "$1"
}

nodes=(a b)
load_module
mkdir -p "$swb_tmp/run"
for n in a b c; do
	place "$n"
	wipe_disk "${lower[$n]}"
done
wish a b
for n in a b c; do
	start_daemon "$n"
done
poll_until 90 some_primary || { show_logs; die "no primary"; }
await 60 "two are in sync" all_in_sync 1
need load_write "$primary" -n 30
wish a b c
await 120 "the third one is required" members_are a,b,c
poll_until 60 some_primary || die "no primary"
check "all data is there" load_verify "$primary"
case $primary in a) wish a c; out=b left=a,c ;; *) wish b c; out=a left=b,c ;; esac
await 120 "$out is no member any more" members_are "$left"
poll_until 60 some_primary || die "no primary"
check "it is detached" poll_until 60 detached "$out"
check "all data is still there" load_verify "$primary"
check_history
finish
