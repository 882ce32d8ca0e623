# SPDX-License-Identifier: GPL-2.0-only
# Failover loops: clients that record a history (swbhist), a primary that is killed
# again and again, and histcheck at the end. Source it after volume.sh. Who decides
# about the next primary is one function, take_over: an order by hand, or the daemon.
# shellcheck shell=bash
# shellcheck disable=SC2154 # shared with lib.sh and volume.sh

[ -x "$SWB_HELPERS/swbhist" ] || skip "no helpers: make -C selftests"
command -v histcheck >/dev/null || skip "no histcheck: make -C tools"

hist=$swb_tmp/hist
control=$swb_tmp/control
gen=0
primary=''

# clients_start [OPTION of swbhist...]
clients_start()
{
	: >"$hist"
	rm -f "$control"
	swbhist run "$control" "$hist" "$@" >"$swb_tmp/clients.out" 2>&1 &
	clients=$!
	defer kill -9 "$clients"
}

# clients_to MEMBER: from now on this is the primary
clients_to()
{
	gen=$((gen + 1))
	primary=$1
	echo "$gen $(bd "$1")" >"$control.new"
	mv "$control.new" "$control"
}

# clients_stop SECONDS: they end by themselves; what did they complain about?
clients_stop()
{
	echo stop >"$control.new"
	mv "$control.new" "$control"
	check_ended "the clients end" "$clients" "$1"
	check_same "without a complaint" "" "$(cat "$swb_tmp/clients.out")"
}

answers()
{
	grep -c ' ok ' "$hist"
}

# writes_go_on SECONDS: the present primary has acknowledged writes
writes_go_on()
{
	poll_until "$1" write_of_gen "$gen"
}

# more_answers N: so many since `base`
more_answers()
{
	[ "$(answers)" -ge $((base + $1)) ]
}

# in generation GEN a write was acknowledged
write_of_gen()
{
	awk -v gen="$1" '
		($2 == "w" || $2 == "d") && $4 == gen { sent[$3] }
		$2 == "ok" && $3 in sent { found = 1; exit }
		END { exit !found }' "$hist"
}

# kill_member NAME HOW: nothing that it does from here on reaches its disk or anyone
#   disk   its disk dies first, then it     wire   its links end first
#   both   all at once, as far as one kernel can do that
kill_member()
{
	local other

	case $2 in
	wire)
		for other in "${members[@]}"; do
			[ "$other" = "$1" ] || swblockctl unlink "$VOL/$1" "$other" >/dev/null 2>&1
		done
		dm_cut "$1"
		need swblockctl remove "$VOL/$1" --force
		;;
	disk)
		dm_cut "$1"
		need swblockctl remove "$VOL/$1" --force
		;;
	both)
		swblockctl remove "$VOL/$1" --force >/dev/null 2>&1 &
		other=$!
		dm_cut "$1"
		wait "$other" || die "set-up: remove --force"
		;;
	esac
	dm_heal "$1"
}

# what the survivors are called, joined by commas
survivors_of()
{
	local list=() m

	for m in "${members[@]}"; do
		[ "$m" = "$1" ] || list+=("$m")
	done
	(IFS=,; echo "${list[*]}")
}

# take_over DEAD: somebody else becomes primary; its name is left in $next. Only the
# order knows which log is the best one: who is refused for that lets the other try.
take_over()
{
	local rest first

	IFS=, read -ra rest <<<"$(survivors_of "$1")"
	first=$((RANDOM % ${#rest[@]}))
	for next in "${rest[@]:first}" "${rest[@]:0:first}"; do
		! swblockctl promote "$VOL/$next" --required "$(survivors_of "$1")" \
			--primary-gone >"$swb_tmp/promote.out" 2>&1 || return 0
		grep -q 'better log' "$swb_tmp/promote.out" || break
	done
	quoted "$(cat "$swb_tmp/promote.out")"
	die "nobody can take over from $1"
}

# join PRIMARY MEMBER...: linked, and in sync again
join()
{
	local p=$1 m
	shift

	for m in "$@"; do
		must link_members "$p" "$m"
	done
	for m in "$@"; do
		poll_until 30 in_sync "$p" "$m" || {
			quoted "$(swblockctl status "$VOL/$p")"
			die "$m does not come in sync with $p"
		}
	done
}

# come_back DEAD: attached again after its crash, level, and required as before
come_back()
{
	local others m

	need add_member "$1"
	join "$primary" "$1"
	need swblockctl promote "$VOL/$primary" --required "$(IFS=,; echo "${members[*]}")"
	others=()
	for m in "${members[@]}"; do
		[ "$m" = "$primary" ] || others+=("$m")
	done
	join "$primary" "${others[@]}"
}

# judge [OPTION of histcheck...]: its verdict is the test's
judge()
{
	local rc=0

	histcheck "$@" "$hist" >"$swb_tmp/verdict" 2>&1 || rc=$?
	quoted "$(head -n 60 "$swb_tmp/verdict")"
	check_same "nothing that a barrier covered was lost" 0 "$rc"
	[ "$rc" = 0 ] || cp "$hist" "$SWB_STATE/history"
}
