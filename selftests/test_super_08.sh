#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# format refuses what is too small, in use, or carries a signature.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

load_module
place a
wipe_disk "${lower[a]}"
dm tiny "${lower[a]}" 2
check_code 1 "2 MiB are too small" swblockctl format "$dm_dev" --volume vol --replica a
check_not "and nothing was written" swbdisk get "$dm_dev" epoch
must dmsetup remove --noudevsync swbt-tiny

must mkfs.ext4 -q -F "${lower[a]}" 16M
check_code 4 "a file system is not overwritten" \
	swblockctl format "${lower[a]}" --volume vol --replica a
check "it is untouched" e2fsck -f -n "${lower[a]}"
mkdir -p "$swb_tmp/mnt"
must mount "${lower[a]}" "$swb_tmp/mnt"
check_not "a mounted one is refused even with --force" \
	swblockctl format "${lower[a]}" --volume vol --replica a --force
must umount "$swb_tmp/mnt"
check "with --force it is overwritten" \
	swblockctl format "${lower[a]}" --volume vol --replica a --size 64M --force
check_code 4 "a member is not overwritten either" \
	swblockctl format "${lower[a]}" --volume vol --replica b
text=$(swblockctl format -j "${lower[a]}" --volume vol --replica b)
check "the refusal names what is there" grep -q 'vol/a' <<<"$text"
check "and --force" grep -q -- '--force' <<<"$text"
check "add it" add_member a
check_not "an attached member is refused even with --force" \
	swblockctl format "${lower[a]}" --volume vol --replica b --force
check_code 3 "no such device" swblockctl format /dev/no-such-disk --volume v --replica a
check_code 1 "a directory is no device" swblockctl format /tmp --volume v --replica a
check_code 2 "a bad block size" swblockctl format "${lower[a]}" --block-size 1000
check_code 2 "a bad size" swblockctl format "${lower[a]}" --size many
check_code 2 "a bad label" swblockctl format "${lower[a]}" --volume 'a b'
finish
