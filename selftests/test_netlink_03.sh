#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Events are dense and ordered, dumps say what they include, nobody is held up.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_disks 2
fresh a
swblockctl format "${swb_disks[1]}" --volume spare --replica s --size 16M --wal-size 1M \
	--force >/dev/null || die "set-up: format"
SWB_VOLUME_ID=$(st a .volume_id)
SWB_SPARE=${swb_disks[1]}
export SWB_VOLUME_ID SWB_SPARE
check "the contract of events" nl_events
finish
