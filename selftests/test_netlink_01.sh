#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Messages that are wrong in one way each are refused with words and change nothing.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a
SWB_VOLUME_ID=$(st a .volume_id)
export SWB_VOLUME_ID
check "the contract of messages" nl_contract
finish
