#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# SIGHUP: what a host says to be reached at may change while it runs; where it listens takes
# a restart, says so, and changes nothing.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

require_tool socat
cluster_up
find_others
b=${others[0]}
linked_at()
{
	grep -q "handed to the module.*peer=$b address=127.0.0.1:$1" "$swb_tmp/$primary.log"
}

reload()
{
	: >"$swb_tmp/$b.log"
	write_config "$b"
	kill -HUP "${daemon_pid[$b]}"
	poll_until 20 grep -q 'configuration was' "$swb_tmp/$b.log" || die "no reload"
}

socat TCP-LISTEN:7891,bind=127.0.0.1,reuseaddr,fork "TCP:127.0.0.1:$(port "$b")" &
defer kill "$!"
advertise[$b]=127.0.0.1:7891
reload
check "taken" grep -q 'was read again' "$swb_tmp/$b.log"
check "the primary hears of it" poll_until 60 grep -q \
	"reached elsewhere.*host=$b address=127.0.0.1:7891" "$swb_tmp/$primary.log"
need swblockctl unlink "$VOL/$primary" "$b"
check "the primary finds it at the new address" poll_until 60 linked_at 7891
await 60 "everybody is in sync" all_in_sync
listen_at[$b]=127.0.0.1:7892
reload
check "another port to listen on takes a restart" grep -q 'takes a restart.*links.listen' \
	"$swb_tmp/$b.log"
check "the whole file was left" grep -q 'was not changed' "$swb_tmp/$b.log"
need load_write "$primary" -n 20
check "the volume goes on" all_in_sync
check "all data is there" load_verify "$primary"
finish
