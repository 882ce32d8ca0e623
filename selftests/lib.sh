# SPDX-License-Identifier: GPL-2.0-only
# Helpers for test_<group>_<nn>.sh. A test sources this file first, says what it
# checks in TAP, and leaves through `finish` (or `skip`); exit codes are those of
# kselftest. Given by the runner:
#   SWB_DISKS   scratch disks of the guest, separated by spaces
#   SWB_KO      the module, SWB_KERNEL: 6.1, 6.12 or uml
#   SWB_PHASE   0, or the number given to reset_guest in the life before
#   SWB_STATE   a directory on the host that survives a reset of the guest
# shellcheck shell=bash
# shellcheck disable=SC2034

set -u
KSFT_PASS=0 KSFT_FAIL=1 KSFT_SKIP=4

read -ra swb_disks <<<"${SWB_DISKS-}"
swb_tests=0 swb_failed=0
swb_deferred=()

# --- TAP ---------------------------------------------------------------------

pass()
{
	swb_tests=$((swb_tests + 1))
	echo "ok $swb_tests - $*"
}

fail()
{
	swb_tests=$((swb_tests + 1))
	swb_failed=$((swb_failed + 1))
	echo "not ok $swb_tests - $*"
}

# Foreign output must not be taken for TAP.
quoted()
{
	printf '#   %s\n' "${1//$'\n'/$'\n#   '}"
}

note()
{
	echo "# $*"
}

# check DESCRIPTION COMMAND...: the command must succeed. Its output is shown
# only when it does not.
check()
{
	local what=$1 text rc
	shift

	text=$("$@" 2>&1)
	rc=$?
	if [ "$rc" = 0 ]; then
		pass "$what"
	else
		fail "$what"
		echo "# $* gave $rc"
		[ -z "$text" ] || quoted "$text"
	fi
	return "$rc"
}

# check_not: the command must fail, with any code (use check_code for a certain one).
check_not()
{
	local what=$1 text
	shift

	if text=$("$@" 2>&1); then
		fail "$what"
		echo "# $* should have failed"
		quoted "$text"
		return 1
	fi
	pass "$what"
}

# check_code CODE DESCRIPTION COMMAND...
check_code()
{
	local want=$1 what=$2 text rc
	shift 2

	text=$("$@" 2>&1)
	rc=$?
	if [ "$rc" = "$want" ]; then
		pass "$what"
	else
		fail "$what"
		echo "# $* gave $rc, expected $want"
		quoted "$text"
		return 1
	fi
}

# check_same DESCRIPTION WANTED GOT
check_same()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1"
		echo "# expected: $2"
		echo "# got:      $3"
		return 1
	fi
}

finish()
{
	check_records
	echo "1..$swb_tests"
	[ "$swb_tests" -gt 0 ] || exit $KSFT_FAIL
	[ "$swb_failed" = 0 ] || exit $KSFT_FAIL
	exit $KSFT_PASS
}

skip()
{
	echo "1..0 # SKIP $*"
	exit $KSFT_SKIP
}

# Nothing after this could mean anything: end the test here.
die()
{
	fail "$@"
	echo "Bail out! $*"
	exit $KSFT_FAIL
}

# must COMMAND...: a step of the set-up that has to work.
must()
{
	local text

	text=$("$@" 2>&1) || {
		quoted "$text"
		die "set-up: $*"
	}
	[ -z "$text" ] || printf '%s\n' "$text"
}

# --- set-up and clean-up -----------------------------------------------------

# defer COMMAND...: run at the end of the test, last one first.
defer()
{
	swb_deferred+=("$(printf '%q ' "$@")")
}

run_deferred()
{
	local rc=$? i

	trap - EXIT
	for ((i = ${#swb_deferred[@]} - 1; i >= 0; i--)); do
		eval "${swb_deferred[i]}" >/dev/null 2>&1
	done
	exit "$rc"
}
trap run_deferred EXIT

require_tool()
{
	local t

	for t in "$@"; do
		command -v "$t" >/dev/null || skip "no $t here"
	done
}

require_module()
{
	local m

	for m in "$@"; do
		modprobe -q "$m" || skip "no module $m in this kernel"
	done
}

# require_kernel 6.1 6.12: the test makes sense on these only.
require_kernel()
{
	local k

	for k in "$@"; do
		[ "$k" != "$SWB_KERNEL" ] || return 0
	done
	skip "not on kernel $SWB_KERNEL"
}

require_disks()
{
	[ "${#swb_disks[@]}" -ge "$1" ] || skip "needs $1 scratch disks"
}

# The bare file, as an admin without depmod would do it.
load_module()
{
	[ -e /sys/module/swblock ] || must insmod "$SWB_KO" records_kept=32 "$@"
}

unload_module()
{
	[ ! -e /sys/module/swblock ] || rmmod swblock
}

# With the module the records of its members would go.
rmmod()
{
	[ "$*" != swblock ] || [ "$(cat /sys/module/swblock/refcnt 2>/dev/null)" != 0 ] ||
		collect_records
	command rmmod "$@"
}

# --- conformance ---------------------------------------------------------------
# Each step that the module recorded, of members that are attached and of the last
# ones that were removed, is done again by the core in userspace (docs/design/recorder.md).

swb_records=/run/swb-records/${SWB_TEST-none}
rm -rf "$swb_records"

# What earlier tests left is theirs: the module forgets it.
swb_kept=/sys/module/swblock/parameters/records_kept
if [ -w "$swb_kept" ]; then
	echo 0 >"$swb_kept"
	echo 32 >"$swb_kept"
fi

# Write the records to a directory of their own: ids begin anew with the module.
collect_records()
{
	local dir

	[ -e "$swb_kept" ] || return 0
	command -v swblockctl >/dev/null || return 0
	mkdir -p "$swb_records"
	dir=$(mktemp -d "$swb_records/XXXX")
	timeout 60 swblockctl record --all "$dir" >/dev/null
}

# A difference fails the test, and the record goes to the host.
check_records()
{
	local text rc files

	command -v conform >/dev/null || return 0
	collect_records || fail "the records can be read"
	mapfile -t files < <(find "$swb_records" -name '*.swbrec' 2>/dev/null)
	[ "${#files[@]}" -gt 0 ] || return 0
	text=$(conform "${files[@]}" 2>&1)
	rc=$?
	if [ "$rc" != 0 ]; then
		fail "what the module decided is what the core decides"
		quoted "$(grep -v ' 0 differences$' <<<"$text" | head -n 40)"
		[ -z "${SWB_STATE-}" ] || cp -r "$swb_records" "$SWB_STATE/" 2>/dev/null
	else
		note "conform: $(awk '{ for (i = 1; i < NF; i++) if ($i == "done") n += $(i - 1) }
			END { print n + 0 }' <<<"$text") steps of ${#files[@]} records done again"
	fi
	rm -rf "$swb_records"
}

# Forget what an earlier test wrote: both ends, where superblocks are.
wipe_disk()
{
	local d

	for d in "$@"; do
		blkdiscard -f -z "$d" 2>/dev/null || dd if=/dev/zero of="$d" bs=1M status=none
	done
	return 0
}

# Seconds since the guest started, in $uptime_s: no clock that a test may set.
uptime_s=0
read_uptime()
{
	read -r uptime_s _ </proc/uptime
	uptime_s=${uptime_s%.*}
}

# poll_until SECONDS COMMAND...: wait for a state; never sleep for one.
poll_until()
{
	local end

	read_uptime
	end=$((uptime_s + $1))
	shift

	until "$@" >/dev/null 2>&1; do
		read_uptime
		[ "$uptime_s" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# --- kernel log --------------------------------------------------------------

dmesg_mark()
{
	swb_mark="swb-mark: $BASHPID $RANDOM"
	echo "$swb_mark" >/dev/kmsg
}

# The log since the last dmesg_mark, or since the test began.
dmesg_since_mark()
{
	dmesg | awk -v m="${swb_mark:-swb-test: begin $SWB_TEST $SWB_PHASE}" \
		'index($0, m) { text = ""; next } { text = text $0 "\n" } END { printf "%s", text }'
}

# --- guest resets ------------------------------------------------------------

# reset_guest PHASE: the host kills this guest here, whatever is in flight, and
# boots it again with the same disks; this test then runs once more, with
# SWB_PHASE=PHASE. Only SWB_STATE and the disks survive.
reset_guest()
{
	check_records
	sync -f "$SWB_STATE"
	echo "reset $SWB_TEST $1" >&9
	sleep 60
	die "the host did not reset the guest"
}
