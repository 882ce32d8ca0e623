#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A device says in sysfs which member of which volume it is: from the first uevent on,
# by single values that nobody can write, until it is detached.
# timeout: 120
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
require_tool python3

load_module
"$SWB_TOP/selftests/helpers/uevents.py" swblock10 swblock/volume swblock/member \
	swblock/replica_uuid >"$swb_tmp/uevents" 2>&1 &
defer kill "$!"
poll_until 20 grep -q ready "$swb_tmp/uevents" || die "nobody listens"
fresh a b

sys=/sys/block/swblock10/swblock
check_same "the documented attributes, and no others" \
	"$(sed -n 's|^What:.*/swblock/||p' "$SWB_TOP/docs/ABI/testing/sysfs-block-swblock" | sort)" \
	"$(find $sys/ -type f -printf '%f\n' | sort)"
check_same "the volume" vol "$(cat $sys/volume)"
check_same "the member" a "$(cat $sys/member)"
check_same "another member says so" b "$(cat /sys/block/swblock11/swblock/member)"
check_same "of the same volume" "$(cat $sys/volume_uuid)" \
	"$(cat /sys/block/swblock11/swblock/volume_uuid)"
check_same "its uuid" "$(st a .volume)" "$(cat $sys/volume_uuid)"
check_same "uuid of the member" "$(st a .replica)" "$(cat $sys/replica_uuid)"
check_same "the id of orders" "$(st a .volume_id)" "$(cat $sys/id)"
check_same "the format on disk" \
	"$(sed -n 's/^#define SWB_DISK_VERSION[[:space:]]*//p' "$SWB_TOP/kmod/format/disk.h")" \
	"$(cat $sys/format_version)"
for f in "$sys"/*; do
	check_same "${f##*/} is one line" 1 "$(wc -l <"$f")"
	check_same "and read-only" 444 "$(stat -c %a "$f")"
done
poll_until 20 grep -q '^add ' "$swb_tmp/uevents"
check_same "whoever hears of the device finds it at once" "add vol a $(st a .replica)" \
	"$(grep -m 1 '^add ' "$swb_tmp/uevents")"
if command -v udevadm >/dev/null; then
	check "udev can match it" grep -q 'ATTR{swblock/volume}=="vol"' \
		<(udevadm info -a -p /sys/block/swblock10)
fi

exec 8<$sys/volume
need remove_member a
check "gone with the device" test ! -e /sys/block/swblock10
check_not "a file that is open shows nothing any more" cat <&8
exec 8<&-
need add_member a
check_same "and back with it" a "$(cat $sys/member)"
finish
