#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every verb explains itself with an example, and usage errors have exit code 2.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

verbs="format add remove assign adopt promote demote lease link unlink rebuild tune status monitor
	explain authority info"
for v in $verbs; do
	text=$(swblockctl "$v" --help) || fail "$v --help"
	grep -q "^Usage: swblockctl $v" <<<"$text" || fail "$v: no usage line"
	grep -q '^Example:' <<<"$text" || fail "$v: no example"
	grep -q "^  $v " <<<"$(swblockctl --help)" || fail "$v is not in the overview"
	swblockctl "$v" --no-such-option >/dev/null 2>&1
	check_same "$v: help is whole, a wrong option has code 2" 2 $?
done
check "the overview lists the exit codes" sh -c 'swblockctl --help | grep -q "Exit codes"'
check_code 2 "no verb" swblockctl
check_code 2 "too many arguments" swblockctl status a b c d e f g
check_code 2 "a missing argument" swblockctl add
check "version" swblockctl --version
finish
