# SPDX-License-Identifier: GPL-2.0-only
# A life that is the same with a true module and with one that breaks a rule: source it
# behind lib.sh. Nothing in it may fail but the comparison of records at the end.
# shellcheck shell=bash
# shellcheck disable=SC2154 # of the helpers
. "$SWB_TOP/selftests/helpers/volume.sh"

[ -e "$SWB_KO" ] || die "no module $SWB_KO"
pair sync_all
need dd if=/dev/zero of="$(bd a)" bs=4k count=64 oflag=direct conv=notrunc,fsync status=none
check "the peer is in sync" poll_until 20 in_sync a b
finish
