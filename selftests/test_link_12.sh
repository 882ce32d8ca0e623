#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A replica that acknowledges more than it was sent, or in an impossible order, is not
# believed: no barrier succeeds by it.
# timeout: 120
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

two best_effort
spoilt b:ACK:1=ack-beyond a ack_beyond
spoilt b:ACK:1=ack-disorder a 'ack_beyond|ack_falls|bad_record'
spoilt b:ACK:2=ack-beyond a ack_beyond
spoilt a:START:1=from b lsn_gap
spoilt a:START:1=truncate-to b 'lsn_gap|below_.*'
finish
