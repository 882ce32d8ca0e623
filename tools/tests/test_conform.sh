#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# conform finds nothing in a true record, names what differs in an untrue one, and
# refuses what is no record.
set -u
cd "$(dirname "$0")/.." || exit 1
out=${OUT:-build}/test
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0 failed=0

verdict()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		failed=1
		echo "not ok $n - $2"
		head -5 "$tmp/said" | sed 's/^/# /'
	fi
}

# expect CODE PATTERN WHAT ARGUMENT...: exit code, and a line of the output
expect()
{
	local code=$1 pattern=$2 what=$3
	shift 3
	"$out/conform" "$@" >"$tmp/said" 2>&1
	[ $? = "$code" ] && grep -q "$pattern" "$tmp/said"
	verdict $? "$what"
}

RECORD_FILE=$tmp/true "$out/test_record" >"$tmp/said" 2>&1
RECORD_FILE=$tmp/order RECORD_LIE=order "$out/test_record" >"$tmp/said" 2>&1
RECORD_FILE=$tmp/state RECORD_LIE=state "$out/test_record" >"$tmp/said" 2>&1
RECORD_FILE=$tmp/between RECORD_LIE=between "$out/test_record" >"$tmp/said" 2>&1

expect 0 ' 0 differences$' "a true record, wrapped" "$tmp/true"
expect 0 'peer_acked peer 1 ' "-t prints the steps" -t "$tmp/true"
expect 1 'the kernel ordered: ' "another order" "$tmp/order"
expect 1 'the core orders: ' "and what it should have been" "$tmp/order"
expect 1 'state in the kernel: completed: ' "another state, by field" "$tmp/state"
expect 1 'changed outside of a step: lease_end_ns: 77, not ' "a writer that the core does not know" \
	"$tmp/between"
expect 1 ' 0 differences$' "a difference in one of two files" "$tmp/true" "$tmp/order"
expect 2 'no flight record' "something else" Makefile
head -c 5000 "$tmp/true" >"$tmp/cut"
expect 2 'bytes are missing' "a file cut short" "$tmp/cut"
expect 2 'usage: ' "no file"
echo "1..$n"
exit "$failed"
