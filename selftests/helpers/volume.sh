# SPDX-License-Identifier: GPL-2.0-only
# What tests of volumes share: members on scratch disks, roles, state, damage to
# the lower device. Source it after lib.sh. Members are called a, b, c (up to g) and
# live on the scratch disk of the same order; the block device of a is
# /dev/swblock10, of b /dev/swblock11, and so on.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with lib.sh and the tests

require_tool swblockctl jq
[ -x "$SWB_HELPERS/swbdisk" ] || skip "no helpers: make -C selftests"
export PATH=$SWB_HELPERS:$PATH

VOL=vol
swb_tmp=/run/swb-test
rm -rf "$swb_tmp"
mkdir -p "$swb_tmp"
export SWBLOCK_STORE=$swb_tmp/authority.db
export DM_DISABLE_UDEV=1

# where a member is: set by `member`, or by the test
declare -A lower wal
members=()

# need COMMAND...: as must, without a word when it works
need()
{
	local text

	text=$("$@" 2>&1) || {
		quoted "$text"
		die "set-up: $*"
	}
}

# --- members -----------------------------------------------------------------

index_of()
{
	case $1 in
	[a-g]) echo $(($(printf %d "'$1") - 97)) ;;
	*) die "no member $1" ;;
	esac
}

minor_of()
{
	echo $((10 + $(index_of "$1")))
}

bd()
{
	echo "/dev/swblock$(minor_of "$1")"
}

# place NAME: the scratch disk of a member, unless the test chose another device.
place()
{
	: "${lower[$1]:=${swb_disks[$(index_of "$1")]}}"
}

# format_member NAME [FORMAT-OPTION...]: 64 MiB and a log of 4 MiB, unless the
# options say otherwise; every later member is like the first one.
format_member()
{
	local name=$1 opts=()
	shift

	place "$name"
	if [ "${#members[@]}" -gt 0 ] && [ "${members[0]}" != "$name" ]; then
		opts+=(--like "${lower[${members[0]}]}" --wal-size "${wal_size:-4M}")
	else
		# a new volume of the same name: another record
		rm -f "$SWBLOCK_STORE"
		opts+=(--volume "$VOL" --size "${size:-64M}" --wal-size "${wal_size:-4M}")
	fi
	[ -z "${wal[$name]-}" ] || opts+=(--wal "${wal[$name]}")
	need swblockctl format "${lower[$name]}" --replica "$name" --force "${opts[@]}" "$@"
	members+=("$name")
}

# add_args NAME: what `swblockctl add` takes for it
add_args()
{
	local args=("${lower[$1]}" --minor "$(minor_of "$1")")

	[ -z "${wal[$1]-}" ] || args+=(--wal "${wal[$1]}")
	printf '%s\n' "${args[@]}"
}

add_member()
{
	local args

	mapfile -t args < <(add_args "$1")
	swblockctl add "${args[@]}"
}

# add_letter NAME: attach and print the case letter of local recovery
add_letter()
{
	local args

	mapfile -t args < <(add_args "$1")
	swblockctl add -j "${args[@]}" | jq -r '.case // .error.message'
}

# check_opens LETTER NAME DESCRIPTION: the member attaches with this letter
check_opens()
{
	check_same "$3 (case $1)" "$1" "$(add_letter "$2")"
}

# check_refused LETTER NAME DESCRIPTION: attaching is refused with this letter,
# and the text says what to do next
check_refused()
{
	local args text rc

	mapfile -t args < <(add_args "$2")
	text=$(swblockctl add -j "${args[@]}" 2>&1)
	rc=$?
	check_same "$3: refused" 1 "$rc" || { quoted "$text"; return 1; }
	check_same "$3: case $1" "$1" \
		"$(jq -r '.error.message' <<<"$text" | sed -n 's/.*case \([A-Z]\).*/\1/p')" ||
		quoted "$text"
	if [ "$(jq -r '.error.hint // ""' <<<"$text" | wc -w)" -ge 3 ]; then
		pass "$3: says what to do next"
	else
		fail "$3: says what to do next"
		quoted "$text"
	fi
}

remove_member()
{
	swblockctl remove "$VOL/$1" "${@:2}"
}

attached()
{
	swblockctl status -j "$VOL/$1" >/dev/null 2>&1
}

# fresh NAME...: load, format, add
fresh()
{
	local name

	load_module
	for name in "$@"; do
		place "$name"
		format_member "$name"
		need add_member "$name"
	done
}

# assign MODE [OPTION...]: all formatted members
assign()
{
	local mode=$1 list
	shift

	list=$(IFS=,; echo "${members[*]}")
	need swblockctl assign "$VOL" --members "$list" --mode "$mode" "$@"
}

promote()
{
	swblockctl promote "$VOL/$1" "${@:2}"
}

# lone [FORMAT-OPTION...]: one member that is its own primary
lone()
{
	load_module
	format_member a "$@"
	need add_member a
	assign best_effort
	need promote a
}

# pair MODE [ASSIGN-OPTION...]: a is primary, b is linked and in sync
pair()
{
	fresh a b
	assign "$@"
	need promote a
	must link_members a b
	poll_until 20 in_sync a b || die "b does not come in sync"
}

# link_members PRIMARY REPLICA: both are attached here
link_members()
{
	swblockctl link "$VOL/$1" "$2" --pair >"$swb_tmp/link.out" 2>&1 || {
		cat "$swb_tmp/link.out"
		return 1
	}
}

# --- state -------------------------------------------------------------------

# st NAME JQ: one value of a member's status
st()
{
	swblockctl status -j "$VOL/$1" 2>/dev/null | jq -r ".members[0] | $2"
}

# peer PRIMARY REPLICA JQ: one value of a peer, as the primary sees it
peer()
{
	st "$1" ".peers[] | select(.label == \"$2\") | $3"
}

# written_back MEMBER: everything in its log is in its extent, so the index serves nothing
written_back()
{
	[ "$(st "$1" '.log.extent_lo >= .log.head_lsn')" = true ]
}

st_is()
{
	[ "$(st "$1" "$2")" = "$3" ]
}

peer_is()
{
	[ "$(peer "$1" "$2" "$3")" = "$4" ]
}

in_sync()
{
	peer_is "$1" "$2" .state in_sync
}

has_condition()
{
	[ "$(st "$1" ".conditions | index(\"$2\") != null")" = true ]
}

lacks_condition()
{
	[ "$(st "$1" ".conditions | index(\"$2\") == null")" = true ]
}

# --- data --------------------------------------------------------------------

# The traces of swbload for a member: which lives there were, what was acknowledged.
load_write()
{
	swbload write "$(bd "$1")" -H "$swb_tmp/history" -a "$swb_tmp/acks" "${@:2}"
}

load_verify()
{
	swbload verify "$(bd "$1")" -H "$swb_tmp/history" -a "$swb_tmp/acks" "${@:2}"
}

# Direct reads and writes of one block, filled with a byte. N counts blocks of 4 KiB.
put_block()
{
	head -c 4096 /dev/zero | tr '\0' "$3" |
		dd of="$1" bs=4096 seek="$2" count=1 oflag=direct conv=notrunc status=none
}

get_block()
{
	dd if="$1" bs=4096 skip="$2" count=1 iflag=direct status=none | tr -s '\0-\377' |
		tr '\0' 0
}

# --- the lower device --------------------------------------------------------

# dm NAME DEV [MEGABYTES]: a thin layer that can be cut, frozen and healed
declare -A dm_under
dm()
{
	local sectors

	sectors=$(blockdev --getsz "$2")
	[ -z "${3-}" ] || sectors=$(($3 * 2048))
	dm_under[$1]="0 $sectors linear $2 0"
	must dmsetup create "swbt-$1" --noudevsync --table "${dm_under[$1]}"
	defer dmsetup remove --force --noudevsync "swbt-$1"
	dm_dev=/dev/mapper/swbt-$1
}

dm_table()
{
	dmsetup suspend --noflush --nolockfs --noudevsync "swbt-$1" &&
		dmsetup reload --noudevsync "swbt-$1" --table "$2" &&
		dmsetup resume --noudevsync "swbt-$1"
}

# Every request fails from now on, as on a machine without power.
dm_cut()
{
	local words

	read -ra words <<<"${dm_under[$1]}"
	must dm_table "$1" "0 ${words[1]} error"
}

dm_heal()
{
	must dm_table "$1" "${dm_under[$1]}"
}

dm_freeze()
{
	must dmsetup suspend --noflush --nolockfs --noudevsync "swbt-$1"
}

dm_thaw()
{
	must dmsetup resume --noudevsync "swbt-$1"
}

# crash NAME: its device loses power in mid-work, the member is given up, power
# comes back. The layer must be called like the member.
crash()
{
	dm_cut "$1"
	need remove_member "$1" --force
	dm_heal "$1"
}

# background COMMAND...: its process id is in $bg, its output in $swb_tmp/bg.out
background()
{
	"$@" >"$swb_tmp/bg.out" 2>&1 &
	bg=$!
}

# check_ended DESCRIPTION PID SECONDS: it ends in time, with any code (in $ended)
ended=
check_ended()
{
	if poll_until "$3" gone "$2"; then
		wait "$2"
		ended=$?
		pass "$1"
	else
		ended=running
		fail "$1"
		return 1
	fi
}

gone()
{
	! kill -0 "$1" 2>/dev/null
}

# stuck_free: nobody is in D state for us
in_d_state()
{
	grep -qs '^State:[[:space:]]*D' "/proc/$1/status"
}

# --- the log -----------------------------------------------------------------

# frozen_log NAME: N operations that stay in the log: a second member is required
# and absent, so that nothing is committed and nothing is written back. The member
# is left detached. Groups: one line each in $swb_tmp/groups. The epoch is 2.
frozen_log()
{
	local name=$1 count=$2

	members=()
	rm -f "$swb_tmp/history" "$swb_tmp/acks"

	load_module
	format_member "$name" "${@:3}"
	format_member b
	need add_member "$name"
	need add_member b
	assign sync_all
	need promote "$name"
	need promote "$name"
	need remove_member b
	load_write "$name" -n "$count" -b 0 >/dev/null || die "set-up: load"
	need remove_member "$name" --force
	swbdisk groups "${lower[$name]}" >"$swb_tmp/groups"
	[ "$(wc -l <"$swb_tmp/groups")" -ge 4 ] || die "set-up: no groups in the log"
}

# group_field LINE FIELD: LINE counts from 1, or from the end if negative
group_field()
{
	local line

	if [ "$1" -lt 0 ]; then
		line=$(tail -n $((-$1)) "$swb_tmp/groups" | head -n 1)
	else
		line=$(sed -n "$1p" "$swb_tmp/groups")
	fi
	tr ' ' '\n' <<<"$line" | sed -n "s/^$2=//p"
}

# bad_range NAME FIRST COUNT [TARGET]: the layer NAME with some bad sectors
bad_range()
{
	local words end=$(($2 + $3)) table=''

	read -ra words <<<"${dm_under[$1]}"
	[ "$2" -eq 0 ] || table="0 $2 linear ${words[3]} 0"$'\n'
	table+="$2 $3 ${4:-error}"
	[ "$end" -ge "${words[1]}" ] ||
		table+=$'\n'"$end $((words[1] - end)) linear ${words[3]} $end"
	must dmsetup suspend --noflush --nolockfs --noudevsync "swbt-$1"
	dmsetup reload --noudevsync "swbt-$1" <<<"$table" || die "set-up: table of $1"
	must dmsetup resume --noudevsync "swbt-$1"
}
