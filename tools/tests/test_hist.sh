#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# histcheck on histories made by hand: hist/*.hist, each with the exit code, the
# options and a piece of the output that it must give. TAP on stdout.
set -u
cd "$(dirname "$0")/.." || exit 1
bin=${OUT:-build}/test/histcheck
count=0

for f in tests/hist/*.hist; do
	count=$((count + 1))
	want=$(sed -n 's/^# expect //p' "$f")
	read -r code options <<<"${want%%: *}"
	pattern=${want#*: }
	# shellcheck disable=SC2086 # options are words
	out=$("$bin" $options "$f" 2>&1)
	rc=$?
	if [ -n "$want" ] && [ "$rc" = "$code" ] && tr -s " " <<<"$out" | grep -Eq -- "$pattern"; then
		echo "ok $count ${f##*/}"
	else
		echo "not ok $count ${f##*/}"
		echo "# exit $rc, wanted $code and /$pattern/"
		head -20 <<<"$out" | sed 's/^/# /'
	fi
done

# random_history SEED OPTION: two workers and a register that is one, with failovers that
# go back to a covered value; "broken" loses a covered write at the last one
random_history()
{
	awk -v seed="$1" -v broken="$2" '
	function answer(text) { print ++t, text }
	BEGIN {
		srand(seed); gen = 1; n = 0; value = "0.0"; safe = "0.0"
		for (i = 0; i < 400; i++) {
			x = rand(); id = "1." ++n
			if (x < 0.45) {
				answer("w " id " " gen " 0"); value = id; answer("ok " id)
			} else if (x < 0.8) {
				answer("r " id " " gen " 0"); answer("is " id " " value)
			} else if (x < 0.95) {
				answer("b " id " " gen); safe = value; answer("ok " id)
			} else {
				answer("kill " gen++)
				if (rand() < 0.5) value = safe
				answer("primary " gen " x")
			}
		}
		id = "1." ++n; answer("w " id " " gen " 0"); answer("ok " id)
		b = "1." ++n; answer("b " b " " gen); answer("ok " b)
		answer("kill " gen++); answer("primary " gen " x")
		r = "1." ++n; answer("r " r " " gen " 0")
		answer("is " r " " (broken ? value : id))
	}'
}

tmp=$(mktemp) || exit 1
trap 'rm -f "$tmp"' EXIT
for want in 0 1; do
	count=$((count + 1))
	bad=''
	for seed in $(seq 30); do
		random_history "$seed" $want >"$tmp"
		"$bin" "$tmp" >/dev/null 2>&1
		[ $? = $want ] || bad+=" $seed"
	done
	[ -n "$bad" ] && printf 'not '
	echo "ok $count 30 random histories, verdict $want"
	[ -z "$bad" ] || echo "# seeds:$bad"
done
exit 0
