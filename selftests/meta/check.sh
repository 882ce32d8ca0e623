#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Judge the judge: run the tests of this directory, some of which must fail, and
# compare the verdicts with what they should be. Arguments go to scripts/vm test.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
. "$here/../../scripts/lib/common.sh"

# a module that commits what the other required member does not have: nobody sees that
# while no disk fails
kernel=6.1
case " $* " in
*" --uml "*) kernel=uml ;;
*" --kernel 6.12 "*) kernel=6.12 ;;
esac
"$SWB_TOP/scripts/build-mutant" all-is-one "$kernel" >/dev/null

mkdir -p "$SWB_CACHE/runs"
out=$(mktemp -d "$SWB_CACHE/runs/meta-XXXX")
"$SWB_TOP/scripts/vm" test --dir "$here" --out "$out" "$@" >"$out/tap" && rc=0 || rc=$?

passed=0 failed=0
expect()
{
	local name=test_meta_$1 what=$2 why=$3 got

	got=$(grep "^$name " "$out/verdicts" 2>/dev/null || echo "$name missing")
	if grep -Eq "^$name $what .*$why" <<<"$got"; then
		passed=$((passed + 1))
		echo "ok - meta: $4"
	else
		failed=$((failed + 1))
		echo "not ok - meta: $4"
		echo "# wanted: $name $what $why"
		echo "# got:    $got"
	fi
}

expect 01 pass '' "a good test passes"
expect 02 fail 'exit code 1' "a failed check fails the test"
expect 03 skip 'no no-such-tool' "a skip is a skip, with its reason"
expect 04 fail 'kernel: WARNING' "a splat fails the test that caused it"
expect 05 fail 'timed out' "a hang fails the test"
expect 06 fail 'guest died' "a panic fails the test"
expect 07 pass '' "a test goes on after a reset of the guest"
expect 08 pass '' "what a test leaves behind is cleaned up"
expect 09 pass '' "the next test finds a clean guest"
expect 10 fail 'exit code 1' "a module whose core breaks a rule fails by its records"
if grep -q 'state in the kernel: log.committed' "$out"/logs/test_meta_10* "$out/tap"; then
	passed=$((passed + 1))
	echo "ok - meta: and the rule's field is named"
else
	failed=$((failed + 1))
	echo "not ok - meta: and the rule's field is named"
fi
expect 11 pass '' "the same test of the true module passes"
if [ "$rc" = 1 ] && grep -qx '5 passed, 5 failed, 1 skipped' "$out/tap"; then
	passed=$((passed + 1))
	echo "ok - meta: the summary counts all of them"
else
	failed=$((failed + 1))
	echo "not ok - meta: exit code $rc, $(tail -n 1 "$out/tap")"
fi
[ "$failed" = 0 ] || echo "# see $out"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
