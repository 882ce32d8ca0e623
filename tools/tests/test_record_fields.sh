#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each member of struct swb_core and of its parts stands in core/record_field.c: a
# field that is missing there would be compared by nobody.
set -u
cd "$(dirname "$0")/../../kmod/core" || exit 1

# members STRUCT: their names, those of a nested struct as OUTER.INNER
members()
{
	cat core.h types.h | awk -v name="struct $1 {" '
		$0 == name { on = 1; next }
		on && /^};/ { exit }
		!on { next }
		/^\t(struct|union) \{$/ { nested = 1; n = 0; next }
		nested && /^\t\} / {
			outer = $2; sub(/;.*/, "", outer)
			for (i = 0; i < n; i++) print outer "." inner[i]
			nested = 0; next
		}
		/;/ {
			line = $0; sub(/;.*/, "", line); sub(/^[ \t]*/, "", line)
			if (line ~ /^struct /) sub(/^struct /, "", line)
			sub(/^[a-z0-9_]+ +/, "", line)
			count = split(line, part, /, */)
			for (i = 1; i <= count; i++) {
				sub(/\[.*/, "", part[i])
				if (nested) inner[n++] = part[i]
				else print part[i]
			}
		}'
}

# named STRUCT: those of the table
named()
{
	tr '\n\t' '  ' <record_field.c | awk -v name="$1" '{
		at = index($0, "FIELD(struct " name ", f, h)")
		text = substr($0, at)
		text = substr(text, 1, index(text, " END "))
		while (match(text, /[( ,{](F|PARTS?)\([^)]*\)/)) {
			one = substr(text, RSTART + 1, RLENGTH - 2)
			text = substr(text, RSTART + RLENGTH)
			sub(/^[A-Z]+\(/, "", one)
			if (one ~ /^struct /) sub(/^struct [a-z_]+, /, "", one)
			sub(/,.*/, "", one)
			print one
		}
	}'
}

n=0 failed=0
for s in swb_core swb_durable swb_lineage swb_lineage_entry swb_log swb_config swb_tune \
	swb_core_peer swb_facts; do
	n=$((n + 1))
	want=$(members "$s" | grep -vx scratch | sort)
	got=$(named "$s" | sort)
	if [ -n "$want" ] && [ "$want" = "$got" ]; then
		echo "ok $n - every member of struct $s has a row, $(wc -l <<<"$want") of them"
	else
		failed=1
		echo "not ok $n - every member of struct $s has a row"
		diff <(echo "$want") <(echo "$got") | sed 's/^/# /'
	fi
done
echo "1..$n"
exit "$failed"
