# SPDX-License-Identifier: GPL-2.0-only
# Guests in QEMU: the initramfs and the command line. Sourced by scripts/vm.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables of scripts/vm

# Just enough to find the host's / on 9p and to put a tmpfs over it.
initramfs_modules="virtio_pci virtio_blk virtio_console virtio_rng 9pnet_virtio 9p overlay"

initramfs()
{
	local release=$1 dir=$2 img=$2/initramfs-2.gz tmp m path

	if [ -e "$img" ]; then
		echo "$img"
		return
	fi
	tmp=$(mktemp -d)
	mkdir -p "$tmp"/{bin,lib,proc,sys,dev,host,over,new}
	cp /bin/busybox "$tmp/bin/"
	for m in $initramfs_modules; do
		/sbin/modprobe -d "$dir" -S "$release" --show-depends "$m" 2>/dev/null || true
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
		m=$(basename "$path")
		case $m in
		*.xz) xz -dc "$path" >"$tmp/lib/${m%.xz}"; m=${m%.xz} ;;
		*.zst) zstd -qdc "$path" >"$tmp/lib/${m%.zst}"; m=${m%.zst} ;;
		*) cp "$path" "$tmp/lib/" ;;
		esac
		echo "$m" >>"$tmp/lib/order"
	done
	cat >"$tmp/init" <<-'INIT'
	#!/bin/busybox sh
	b=/bin/busybox
	$b mount -t proc proc /proc
	$b mount -t sysfs sysfs /sys
	$b mount -t devtmpfs devtmpfs /dev
	for m in $($b cat /lib/order); do $b insmod /lib/$m; done
	$b mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose root /host
	$b mount -t tmpfs -o size=60% tmpfs /over
	$b mkdir /over/upper /over/work
	$b mount -t overlay -o lowerdir=/host,upperdir=/over/upper,workdir=/over/work overlay /new
	init=$($b tr ' ' '\n' </proc/cmdline | $b sed -n 's/^swb.init=//p')
	for m in proc sys; do $b umount /$m; done
	$b mkdir -p /new/dev
	$b mount --move /dev /new/dev
	exec $b switch_root /new $init
	INIT
	chmod +x "$tmp/init"
	(cd "$tmp" && find . | cpio -o -H newc --quiet | gzip -1) >"$img.$$"
	mv "$img.$$" "$img"
	rm -rf "$tmp"
	echo "$img"
}

# A hub of guests: frames travel as multicast on this machine's loopback, and may be
# lost there. A wire between two: a socket, on which they wait for each other.
lan_backend()
{
	local server=on

	case $2 in
	/*)	[ "$1" = 1 ] || server=off
		echo "stream,id=lan0,server=$server,addr.type=unix,addr.path=$2" ;;
	*)	echo "socket,id=lan0,mcast=230.1.2.3:$2,localaddr=127.0.0.1" ;;
	esac
}

# Sets guest_pid. The report arrives in the fifo $out/report.
start_qemu()
{
	local mode=$1 release dir append i
	local args=()

	release=$(kernel_release "$kernel")
	dir=$(kernel_dir "$kernel")
	[ -e "$dir/.complete" ] || die "no guest kernel $kernel: run scripts/setup-deps"

	append="console=ttyS0 quiet panic=-1 log_buf_len=4M mitigations=off"
	append="$append random.trust_cpu=on net.ifnames=0 rcupdate.rcu_cpu_stall_timeout=60"
	append="$append swb.kernel=$kernel swb.mode=$mode swb.out=$out swb.modules=$dir/lib/modules"
	append="$append swb.init=$SWB_TOP/scripts/lib/guest-init"
	# a wake-up across CPUs takes milliseconds there otherwise
	[ "$kernel" = 6.1 ] || append="$append idle=poll"

	for ((i = 0; i < disks; i++)); do
		args+=(-drive "if=none,id=d$i,format=raw,cache=unsafe,discard=unmap,file=$disk_dir/disk$i"
		       -device "virtio-blk-pci,drive=d$i,serial=swb$i")
	done
	if [ -n "$lan" ]; then
		i=${lan%%:*}
		append="$append swb.lan=$i"
		args+=(-netdev "user,id=out0${shell_port:+,hostfwd=tcp:127.0.0.1:$shell_port-:7000}"
		       -device "virtio-net-pci,netdev=out0,mac=$(printf '52:54:00:aa:00:%02x' "$i")"
		       -netdev "$(lan_backend "$i" "${lan#*:}")"
		       -device "virtio-net-pci,netdev=lan0,mac=$(printf '52:54:00:bb:00:%02x' "$i")")
	fi
	rm -f "$out/monitor"
	setsid qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none \
		-machine q35 -accel tcg,thread=multi -cpu max,la57=off \
		-smp "$cpus" -m "$memory_mb" \
		-kernel "$dir/boot/vmlinuz-$release" -initrd "$(initramfs "$release" "$dir")" \
		-append "$append" \
		-chardev "file,id=con,path=$out/console.log,append=on" -serial chardev:con \
		-chardev "file,id=rep,path=$out/report" \
		-device virtio-serial-pci -device virtserialport,chardev=rep,name=swb.report \
		-device virtio-rng-pci -monitor "unix:$out/monitor,server=on,wait=off" \
		-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
		-device virtio-9p-pci,fsdev=root,mount_tag=root \
		-fsdev "local,id=out,path=$out,security_model=none,multidevs=remap" \
		-device virtio-9p-pci,fsdev=out,mount_tag=out \
		"${args[@]}" </dev/null >>"$out/qemu.log" 2>&1 &
	guest_pid=$!
}

# Last words of a guest that no longer reports: the tasks that block, then all CPUs.
ask_last_words_qemu()
{
	printf 'sendkey alt-sysrq-w\nsendkey alt-sysrq-l\n' |
		socat -T 2 - "UNIX-CONNECT:$out/monitor" >/dev/null 2>&1 || true
	sleep 3
}
