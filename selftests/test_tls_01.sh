#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A replicated write over TLS shows none of its bytes on the wire, while the same write
# over a clear-text link does; both ciphers of the kernel carry a volume.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/tls.sh"

require_tool tcpdump python3
require_ktls
wire
make_key "$swb_tmp/key"
two sync_all --policy written
check "linked over TLS" tls_link
check "in sync" poll_until 20 in_sync a b
wiretap "$swb_tmp/tls.pcap"
check "a write of a known pattern" put_pattern 5000
check "more of it" load_write a -n 40 -b 4
wiretap_end
check "the wire carried all of it" test "$(stat -c %s "$swb_tmp/tls.pcap")" -gt 160000
check_not "and shows nothing of it" grep -aq "$pattern" "$swb_tmp/tls.pcap"
check_not "nor a frame of ours" grep -aq SWBW "$swb_tmp/tls.pcap"
check "it is encrypted on both sides" sh -c "ip netns exec swba ss -tnie | grep -q tcp-ulp-tls &&
	ip netns exec swbb ss -tnie | grep -q tcp-ulp-tls"
check "the replica has the same" level a b

check "linked in clear text" plain_link
check "in sync again" poll_until 20 in_sync a b
wiretap "$swb_tmp/plain.pcap"
check "the same write" put_pattern 5001
wiretap_end
check "and the wiretap sees it" grep -aq "$pattern" "$swb_tmp/plain.pcap"
check "and our frames" grep -aq SWBW "$swb_tmp/plain.pcap"

check "encrypted again" tls_link
check "in sync once more" poll_until 20 in_sync a b
check "data is whole" load_verify a
need swblockctl demote vol/a
check "the other is promoted" promote b
check "and has what was written" load_verify b
finish
