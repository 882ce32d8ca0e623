#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Linked members can be removed in either order, while traffic flows.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

pair sync_all
background load_write a -n 0 -b 4
poll_until 20 grep -qs '^ack' "$swb_tmp/acks" || die "no barriers"
check "the replica goes first" timeout 30 swblockctl remove vol/b --force
check "the primary says whom it waits for" poll_until 20 has_condition a waiting_peer
check "then the primary" timeout 30 swblockctl remove vol/a --force
check_ended "the writer ends" $bg 30
need add_member a
need add_member b
need promote a
need link_members a b
poll_until 30 in_sync a b || die "not in sync again"
check "a prefix with every barrier" load_verify a
background swbload write "$(bd a)" -n 0 -b 4
poll_until 20 sh -c "[ \$(swblockctl status -j vol/a | jq '.members[0].stats.writes') -gt 20 ]"
check "the primary goes first" timeout 30 swblockctl remove vol/a --force
check_ended "the writer ends" $bg 30
check "then the replica" timeout 30 swblockctl remove vol/b
check "rmmod" poll_until 20 rmmod swblock
finish
