#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A frame with wrong magic, checksums, type or lengths is refused with its own reason,
# whatever its type and whoever sends it.
# timeout: 300
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

two best_effort
refused=$(($(refusals a) + $(refusals b)))
spoilt a:OPEN:1=bad-magic b bad_magic
spoilt a:OPEN:1=bad-header-crc b bad_header_crc
spoilt a:OPEN:1=bad-body-crc b bad_body_crc
spoilt a:OPEN:1=type-99 b bad_type
spoilt a:OPEN:1=body-longer b bad_length
spoilt a:OPEN:1=body-huge b bad_length
spoilt a:OPEN:1=payload-huge b bad_length
spoilt b:FACTS:1=bad-magic a bad_magic
spoilt b:FACTS:1=bad-body-crc a bad_body_crc
spoilt b:FACTS:1=type-99 a bad_type
spoilt b:FACTS:1=body-huge a bad_length
spoilt a:START:1=bad-header-crc b bad_header_crc
spoilt a:START:1=nrec-129 b bad_length
spoilt b:ACK:1=bad-header-crc a bad_header_crc
spoilt b:ACK:1=payload-huge a bad_length
spoilt a:DATA:1=garbage b bad_magic
check "each was counted" test "$(($(refusals a) + $(refusals b) - refused))" -ge 16
finish
