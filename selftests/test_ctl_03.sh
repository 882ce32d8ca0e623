#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each verb speaks JSON: one document, errors with code, message and hint.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

place a
place b
load_module
json()
{
	local what=$1 want=$2 filter=$3 text rc
	shift 3

	text=$(swblockctl "$@" -j 2>"$swb_tmp/err")
	rc=$?
	if [ $rc = "$want" ] && jq -e "$filter" <<<"$text" >/dev/null && [ ! -s "$swb_tmp/err" ]; then
		pass "$what"
	else
		fail "$what (code $rc)"
		quoted "$text"
		quoted "$(cat "$swb_tmp/err")"
	fi
}
json format 0 '.replica and .volume and .size_bytes == 33554432' format "${lower[a]}" \
	--volume vol --replica a --size 32M --wal-size 2M --force
need swblockctl format "${lower[b]}" --like "${lower[a]}" --replica b --force
json add 0 '.minor == 10 and .case == "H"' add "${lower[a]}" --minor 10
need swblockctl add "${lower[b]}" --minor 11
json assign 0 'type == "object"' assign vol --members a,b --mode sync_all
json promote 0 '.epoch >= 1 and .minor == 10' promote vol/a
json link 0 '.peer and .state' link vol/a b --pair
json status 0 '.members | length == 2 and all(.role and .log and .stats and .peers)' status
json "status of one" 0 '.members[0].member == "vol/a"' status vol/a
json explain 0 '.decisions | length >= 3' explain vol/a
json authority 0 '.volumes[0].epoch >= 1' authority vol
json info 0 '.members == 2' info
json tune 0 '.tuned' tune vol/a --io-deadline 60s
json unlink 0 '.unlinked' unlink vol/a b
json adopt 0 '.report.adopted >= 1' adopt vol/a
json demote 0 '.role' demote vol/a
json remove 0 '.removed' remove vol/a
e='.error | .code and .message and has("hint") and .exit'
json "usage error" 2 "$e" frobnicate
json "no such member" 3 "$e" status vol/zz
json "refused" 4 "$e" format "${lower[a]}" --volume other
json "bad device" 1 "$e" add /dev/null
finish
