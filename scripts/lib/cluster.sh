# SPDX-License-Identifier: GPL-2.0-only
# Several guests on one network, each with its own kernel and disks. Sourced after
# common.sh. Set cluster_dir before use; cluster_end when done (also from a trap).
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2154 # for the guest to expand; from the caller

cluster_kernel=${cluster_kernel:-6.1}
cluster_lan=${cluster_lan:-$((20000 + RANDOM % 10000))}
declare -A cluster_pid cluster_index cluster_port
cluster_size=0

# cluster_boot NAME [OPTION OF scripts/vm...]: the first boot makes the disks, a
# later one finds them
cluster_boot()
{
	local name=$1 i
	shift

	i=${cluster_index[$name]:-}
	if [ -z "$i" ]; then
		cluster_size=$((cluster_size + 1))
		i=$cluster_size
		cluster_index[$name]=$i
		cluster_port[$name]=$((cluster_lan + 100 + i))
	fi
	mkdir -p "$cluster_dir/$name/disks"
	rm -f "$cluster_dir/$name/log" "$cluster_dir/$name/ready"
	# a lock of its own: these guests are meant to run side by side
	SWB_VM_LOCK=$cluster_dir/$name/lock "$SWB_TOP/scripts/vm" run \
		--kernel "$cluster_kernel" --timeout 3000 --out "$cluster_dir/$name" \
		--keep-disks "$cluster_dir/$name/disks" --lan "$i:$cluster_lan" \
		--shell "${cluster_port[$name]}" "$@" -- "$SWB_TOP/scripts/lib/guest-shell" \
		>"$cluster_dir/$name/log" 2>&1 &
	cluster_pid[$name]=$!
}

# cluster_wait NAME SECONDS: until its shell answers
cluster_wait()
{
	local end=$((SECONDS + $2))

	until [ -e "$cluster_dir/$1/ready" ]; do
		kill -0 "${cluster_pid[$1]}" 2>/dev/null || return 1
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.3
	done
}

# on NAME COMMAND: run it by the guest's shell; output and exit code are its own
on()
{
	local name=$1 line blank='' rc=255 nonce=end$RANDOM$RANDOM
	shift

	# the newline before the last line is not the command's
	while IFS= read -r line; do
		case $line in
		'') blank+=$'\n' ;;
		"$nonce "*) rc=${line##* }; break ;;
		*) printf '%s%s\n' "$blank" "$line"; blank='' ;;
		esac
	done < <(printf '%s\n%s\n' "$nonce" "$*" |
		socat -t 600 - "TCP:127.0.0.1:${cluster_port[$name]},connect-timeout=10" 2>/dev/null)
	return "$rc"
}

# cluster_kill NAME: as if its power had been cut; its disks keep what the host has
cluster_kill()
{
	local vm=${cluster_pid[$1]:-} qemu

	[ -n "$vm" ] || return 0
	for qemu in $(pgrep -P "$vm" -f qemu-system); do
		kill -KILL "$qemu" 2>/dev/null
	done
	wait "$vm" 2>/dev/null
	cluster_pid[$1]=
}

cluster_end()
{
	local name

	for name in "${!cluster_pid[@]}"; do
		cluster_kill "$name"
	done
}
