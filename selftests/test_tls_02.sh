#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A peer without the key, with a wrong key, with a key of another name, without TLS, or
# that is no swblock at all is refused on both sides with the reason, and the volume
# goes on with the link that it has.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/tls.sh"

require_tool python3 gnutls-cli
require_ktls
wire
make_key "$swb_tmp/key"
make_key "$swb_tmp/wrong"
make_key "$swb_tmp/named" other
two sync_all --policy written
check "linked over TLS" tls_link
check "in sync" poll_until 20 in_sync a b
session=$(session_of a)
check "writing" load_write a -n 10 -b 4

# refused WHAT HERE THERE CONNECT-OPTION...: with these reasons
refused()
{
	local what=$1 here=$2 there=$3
	shift 3

	listen_b --key "$swb_tmp/key"
	connect_a "$@" --timeout 10 >"$swb_tmp/connect.out" 2>&1
	check_same "$what: the caller fails" 1 $?
	wait "$listener"
	check_same "$what: and the listener does" 1 $?
	check "$what: it says $here" grep -q "($here)" "$swb_tmp/listen.out"
	check "$what: the caller is told $there" grep -q "($there)" "$swb_tmp/connect.out"
	quoted "$(cat "$swb_tmp/listen.out" "$swb_tmp/connect.out")"
	check_same "$what: the link is the one it was" "$session" "$(session_of a)"
	check "$what: and still in sync" in_sync a b
}

refused "a wrong key" wrong_key wrong_key --key "$swb_tmp/wrong"
refused "a key of another name" unknown_key unknown_key --key "$swb_tmp/named"
refused "clear text" plaintext speaks_tls --insecure
check "writing goes on" load_write a -l 2 -f 11 -n 10 -b 4

listen_b --insecure
check_not "TLS against a listener without: the caller fails" \
	connect_a --key "$swb_tmp/key" --timeout 10
wait "$listener"
check_same "so does the listener" 1 $?
check "which says why" grep -q "(speaks_tls)" "$swb_tmp/listen.out"

mkdir "$swb_tmp/hidden"
echo "no library" >"$swb_tmp/hidden/libgnutls.so.30"
LD_LIBRARY_PATH=$swb_tmp/hidden connect_a --key "$swb_tmp/key" >"$swb_tmp/connect.out" 2>&1
check_same "a key without GnuTLS is refused" 4 $?
check "with the name of what is missing" grep -q 'install libgnutls30' "$swb_tmp/connect.out"

listen_b --key "$swb_tmp/key"
ip netns exec swba gnutls-cli --insecure -p 7800 10.77.0.2 </dev/null >"$swb_tmp/cli.out" 2>&1
wait "$listener"
check_same "TLS without a pre-shared key" 1 $?
check "no key" grep -q "(no_key)\|(bad_tls)" "$swb_tmp/listen.out"
quoted "$(cat "$swb_tmp/listen.out")"

chmod 644 "$swb_tmp/key"
check_code 4 "a key that others can read is none" \
	swblockctl link vol/a b --connect "$tls_addr" --netns swba --key "$swb_tmp/key"
chmod 600 "$swb_tmp/key"
check_code 4 "clear text to another host needs a word" \
	swblockctl link vol/b a --listen "$tls_addr" --netns swbb
check_same "still the first link" "$session" "$(session_of a)"
check "and data is whole" load_verify a
check "a good link at once" tls_link
check "in sync" poll_until 20 in_sync a b
finish
