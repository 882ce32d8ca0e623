#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# swbwal on disks that a scenario of distsim leaves behind. TAP on stdout.
set -u
cd "$(dirname "$0")/.." || exit 1
bin=${OUT:-build}/sim
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0

# check NAME WANTED_CODE PATTERN COMMAND...: exit code and a word of the output
check()
{
	local name=$1 want=$2 pattern=$3 out rc
	shift 3
	out=$("$@" 2>&1)
	rc=$?
	count=$((count + 1))
	if [ "$rc" = "$want" ] && grep -Eq -- "$pattern" <<<"$out"; then
		echo "ok $count $name"
	else
		echo "not ok $count $name"
		echo "# exit $rc, wanted $want and /$pattern/"
		head -20 <<<"$out" | sed 's/^/# /'
	fi
}

# poke FILE OFFSET: flip every bit of one byte
poke()
{
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf '%b' "\\x$(printf %x $((byte ^ 255)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# next_of FILE: ring offset of the last group, header included
last_group()
{
	"$bin/swbwal" dump "$1" | sed -n 's/^  group [0-9]* at \([0-9]*\).*/\1/p' |
		tail -1
}

"$bin/distsim" --scenario tests/swbwal.scn --save "$dir" >"$dir/log" || {
	cat "$dir/log"
	exit 1
}
a=$dir/n0.img b=$dir/n1.img
ring=1048576

check fsck_clean_disk 0 'case H' "$bin/swbwal" fsck "$a"
check fsck_says_json 0 '"ok":true.*"case":"H"' "$bin/swbwal" fsck -j "$a"
check dump_names_the_opening 0 ' open ' "$bin/swbwal" dump "$a"
check dump_names_the_lineage 0 '^ +1 +1$' "$bin/swbwal" dump "$a"
"$bin/swbwal" dump -j "$a" >"$dir/a.json" 2>&1
check dump_is_json 0 . python3 -m json.tool "$dir/a.json"
check compare_members_in_step 0 '^equal' "$bin/swbwal" compare "$a" "$b"
check compare_says_json 0 '"equal":true' "$bin/swbwal" compare -j "$a" "$b"
check image_is_written 0 'lsn 6 of epoch 1' "$bin/swbwal" image "$a" "$dir/a.raw"
check image_of_the_other 0 . "$bin/swbwal" image "$b" "$dir/b.raw"
check images_are_equal 0 '^$' cmp "$dir/a.raw" "$dir/b.raw"
check image_has_the_volume_size 0 '^16384$' stat -c %s "$dir/a.raw"

cp "$a" "$dir/c.img"
poke "$dir/c.img" $((ring + $(last_group "$a") + 600))
check fsck_cuts_a_torn_payload 0 'case J' "$bin/swbwal" fsck "$dir/c.img"
check compare_sees_what_was_cut 1 '^different: [1-9]' \
	"$bin/swbwal" compare "$dir/c.img" "$b"
check compare_says_where_in_json 1 '"first_offset":[0-9]' \
	"$bin/swbwal" compare -j "$dir/c.img" "$b"

cp "$a" "$dir/c.img"
poke "$dir/c.img" $((ring + $(last_group "$a") + 20))
check fsck_cuts_a_torn_header 0 'case I' "$bin/swbwal" fsck "$dir/c.img"

cp "$a" "$dir/c.img"
poke "$dir/c.img" 100
check fsck_survives_one_bad_slot 0 'case H|case K' "$bin/swbwal" fsck "$dir/c.img"
poke "$dir/c.img" $((65536 + 100))
check fsck_refuses_two_bad_slots 1 'case A' "$bin/swbwal" fsck "$dir/c.img"
check image_refuses_two_bad_slots 1 'case A' \
	"$bin/swbwal" image "$dir/c.img" "$dir/x.raw"

head -c 4194304 /dev/zero >"$dir/blank"
check fsck_refuses_a_blank_disk 1 'case C' "$bin/swbwal" fsck "$dir/blank"
head -c 1500000 "$a" >"$dir/short"
check fsck_refuses_a_short_disk 1 'case D' "$bin/swbwal" fsck "$dir/short"
check usage_without_operands 2 usage "$bin/swbwal" compare "$a"
check usage_of_unknown_verb 2 usage "$bin/swbwal" mend "$a"
check missing_file_is_named 2 'nosuch' "$bin/swbwal" fsck "$dir/nosuch"
sum=$(sha256sum <"$a")
"$bin/swbwal" dump "$a" >/dev/null
check nothing_is_written 0 "^${sum%% *}" sha256sum "$a"
echo "1..$count"
