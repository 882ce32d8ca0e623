#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Certificates that are wrong in one fact each meet the letter of that fact.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a
SWB_VOLUME_ID=$(st a .volume_id)
export SWB_VOLUME_ID
check "the certificate table" nl_cert
check_same "no invariant was broken" 0 "$(st a .stats.asserts)"
need remove_member a --force
need add_member a
SWB_VOLUME_ID=$(st a .volume_id)
check "the same after a restart, with a history" nl_cert
finish
