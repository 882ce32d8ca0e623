#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Processes, mounts and dm devices are left behind: the runner cleans them up, and says pass.
. "$SWB_TOP/selftests/lib.sh"

must mkfs.ext4 -q "${swb_disks[0]}" 64M
mkdir -p /run/mnt
must mount "${swb_disks[0]}" /run/mnt
must dmsetup create left-behind --table "0 2048 linear ${swb_disks[1]} 0"
(cd /run/mnt && setsid sleep 1000 &)
pass "left a mess"
finish
