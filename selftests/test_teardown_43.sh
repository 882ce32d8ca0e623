#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Teardown with disk gone, peer dead, ring full: every verb returns in time, nothing stays.
# timeout: 900
# tier: long
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/matrix.sh"

matrix gone dead full
finish
