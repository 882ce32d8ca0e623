#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A DATA frame with a wrong payload, record, position or record epoch does not enter
# the log, and what it should have brought arrives with the next link.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

two best_effort
need load_write a -n 20
level a b || die "set-up"
spoilt a:DATA:1=bad-payload b bad_payload_crc
spoilt a:DATA:1=bad-body-crc b bad_body_crc
spoilt a:DATA:1=payload-shorter b bad_length
spoilt a:DATA:1=payload-huge b bad_length
spoilt a:DATA:1=nrec-0 b bad_length
spoilt a:DATA:1=nrec-129 b bad_length
spoilt a:DATA:1=record-range b bad_record
spoilt a:DATA:1=record-unaligned b bad_record
spoilt a:DATA:1=record-type b bad_record
spoilt a:DATA:1=record-flags b bad_record
spoilt a:DATA:1=lsn-gap b lsn_gap
spoilt a:DATA:1=lsn-again b lsn_gap
spoilt a:DATA:1=dup b lsn_gap
spoilt a:DATA:1=record-epoch-newer b 'newer_epoch|epoch_falls'
spoilt a:DATA:1=record-epoch-0 b epoch_falls
level a b || die "not level at the end"
here=$(digest a)
need swblockctl demote vol/a
check "promote the other" promote b
check_same "both hold the same, block by block" "$here" "$(digest b)"
finish
