# SPDX-License-Identifier: GPL-2.0-only
# Guests in user-mode Linux. Sourced by scripts/vm.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables of scripts/vm

start_uml()
{
	local mode=$1 dir i
	local args=()

	dir=$(uml_dir)
	[ -e "$dir/.stamp" ] || die "no debug kernel: run scripts/build-uml"
	for ((i = 0; i < disks; i++)); do
		# "s" would make every write synchronous; the cache is what we test
		args+=("ubd$i=$disk_dir/disk$i")
	done
	# one CPU for kernel and processes: a switch between CPUs at every system
	# call makes it eight times slower, and two guests on one CPU four times
	setsid taskset -c "$slot" "$dir/linux" "mem=${memory_mb}M" "umid=swb-$$" \
		root=none rootfstype=hostfs rootflags=/ ro \
		"init=$SWB_TOP/scripts/lib/guest-init" \
		con=null con0=null,fd:1 ssl=null ssl0=null,fd:8 quiet panic=-1 "kmemleak=${SWB_KMEMLEAK:-off}" \
		swb.kernel=uml "swb.mode=$mode" "swb.out=$out" "swb.modules=$dir/modules/lib/modules" \
		"${args[@]}" </dev/null >>"$out/console.log" 2>&1 8>"$out/report" &
	guest_pid=$!
}

# Its processes are traced children: they end with the first one.
ask_last_words_uml()
{
	:
}
