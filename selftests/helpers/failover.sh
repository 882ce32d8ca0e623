# SPDX-License-Identifier: GPL-2.0-only
# Failover loops: clients that record a history (swbhist), a primary that is killed
# again and again, and histcheck at the end. Source it after volume.sh, and before
# cluster.sh where daemons promote (strike, await_primary, recover); by hand it is
# kill_member, take_over, come_back.
# shellcheck shell=bash
# shellcheck disable=SC2154 # shared with lib.sh, volume.sh and cluster.sh

[ -x "$SWB_HELPERS/swbhist" ] || skip "no helpers: make -C selftests"
command -v histcheck >/dev/null || skip "no histcheck: make -C tools"

hist=$swb_tmp/hist
control=$swb_tmp/control
gen=0
gen_from=1
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
	gen_from=$(($(stat -c %s "$hist") + 1))
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

# in generation GEN, the present one, a write was acknowledged
write_of_gen()
{
	tail -c "+$gen_from" "$hist" | awk -v gen="$1" '
		($2 == "w" || $2 == "d") && $4 == gen { sent[$3] }
		$2 == "ok" && $3 in sent { found = 1; exit }
		END { exit !found }'
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

# --- with daemons ------------------------------------------------------------------

# strike NAME HOW: what happens to a primary, and its daemon
#   host-disk, host-wire, host-both   the daemon is killed and the member goes, as kill_member
#   daemon   the daemon is killed, the member serves until its lease ends
#   frozen   the daemon is stopped, the links stay
#   cut      the daemon is stopped, and nothing comes through its links
#   disk     the disk fails, the daemon lives and says so
strike()
{
	local other

	case $2 in
	host-*)
		kill_daemon "$1"
		kill_member "$1" "${2#host-}"
		;;
	daemon)
		kill_daemon "$1"
		;;
	frozen|cut)
		freeze "$1"
		[ "$2" = frozen ] || for other in "${members[@]}"; do
			[ "$other" = "$1" ] || swblockctl unlink "$VOL/$1" "$other" >/dev/null 2>&1
		done
		;;
	disk)
		dm_cut "$1"
		;;
	esac
}

# recover NAME HOW: what an admin or the service manager does about it
recover()
{
	case $2 in
	host-*|daemon)
		start_daemon "$1"
		;;
	frozen|cut)
		kill -CONT "${daemon_pid[$1]}"
		;;
	disk)
		dm_heal "$1"
		# a disk that has failed stays out until told otherwise; its daemon attaches it
		need swblockctl remove "$VOL/$1" --force
		;;
	esac
}

# watch NAME...: by what await_primary sees them; no process is needed for it later
declare -A size_of
watch()
{
	local m

	size_of=()
	for m in "$@"; do
		size_of[$m]=/sys/block/swblock$(st "$m" .minor)/size
	done
}

# await_primary SECONDS: one of those has a size, so it is primary; sets $next
await_primary()
{
	local end=$((SECONDS + $1)) size

	while [ "$SECONDS" -lt "$end" ]; do
		for next in "${!size_of[@]}"; do
			size=0
			read -r size 2>/dev/null <"${size_of[$next]}"
			[ "${size:-0}" = 0 ] || return 0
		done
		sleep 0.03
	done
	return 1
}

# follow: clients go where the primary is now. On a machine that is busy elsewhere a host
# may seem silent, and the role moves without an accident of ours.
follow()
{
	local before=$primary

	if ! some_primary; then
		primary=$before
	elif [ "$primary" != "$before" ]; then
		note "the role moved from $before to $primary by itself"
		clients_to "$primary"
	fi
}

# load N SECONDS: so many more answers, from whoever is primary
load()
{
	local end=$((SECONDS + $2)) base

	base=$(answers)
	until poll_until 5 more_answers "$1"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		follow
	done
}

# first_write SECONDS: the new primary, or who came after it, has acknowledged one
first_write()
{
	local end=$((SECONDS + $1))

	until writes_go_on 8; do
		[ "$SECONDS" -lt "$end" ] || return 1
		follow
	done
}

# all_back SECONDS: somebody is settled as primary, and everybody is in sync with it.
# Seldom and cheaply: this shares a processor with what it waits for.
all_back()
{
	local end=$((SECONDS + $1)) tries=0

	until all_in_sync && settled; do
		[ "$SECONDS" -lt "$end" ] || return 1
		tries=$((tries + 1))
		[ $((tries % 8)) != 0 ] || follow
		sleep 0.2
	done
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

# tell_loop ROUNDS LEASE_MS: one line of figures, of what histcheck -l has said
tell_loop()
{
	local lost

	lost=$(sed -n 's/^histcheck: \([0-9]*\) of .* no register$/\1/p' "$swb_tmp/verdict")
	note "failover: $1 rounds, lost ${lost:-0}, kill to first write $(
		sed -n 's/^time to first write: [0-9]* failovers, //p' "$swb_tmp/verdict" |
			sed 's/\([a-z0-9]*\) [0-9.]* ms (\([0-9.]*\) leases)/\1 \2 leases/g'
	) (lease $2 ms)"
}
