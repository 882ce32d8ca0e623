#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Teardown with disk hanging, peer ok, ring empty, daemons up: every verb returns in time, nothing stays.
# timeout: 900
# tier: long
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"
. "$SWB_TOP/selftests/helpers/matrix_daemon.sh"
. "$SWB_TOP/selftests/helpers/matrix.sh"

matrix hanging ok empty up
finish
