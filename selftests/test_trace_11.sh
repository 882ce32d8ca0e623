#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# /metrics of swblockd beside a replicated volume: a valid page, whose counters and
# histograms are those of status and latency, also while members come and go.
# timeout: 300
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/trace.sh"
require_tool swblockd

url=http://127.0.0.1:9599/metrics
metrics()
{
	"$SWB_TOP/selftests/helpers/metrics.py" "$url" "$@"
}

# metric MEMBER NAME [LABEL=VALUE...]
metric()
{
	metrics get "swblock_$2" volume=vol "member=$1" "${@:3}"
}

metric_is()
{
	[ "$(metric "$1" "$2" "${@:4}")" = "$3" ]
}

# agrees MEMBER: and there was something to compare
agrees()
{
	[ "$(metrics agrees "$VOL/$1")" -gt "$2" ]
}

served()
{
	metrics get swblock_module_up
}

# config LISTEN
config()
{
	cat >"$swb_tmp/d.yaml" <<-END
	node: a
	runtime_dir: $swb_tmp/run
	store: {address: $SWBLOCK_STORE}
	metrics: {listen: '$1'}
	END
}

config 0.0.0.0:9599
check_code 2 "an address that others reach is refused" swblockd --check -c "$swb_tmp/d.yaml"
pair sync_all --policy written
config 127.0.0.1:9599
swblockd -c "$swb_tmp/d.yaml" >>"$swb_tmp/d.log" 2>&1 &
daemon=$!
defer kill -KILL "$daemon"
check "served" poll_until 60 served || quoted "$(cat "$swb_tmp/d.log")"
writes a 100 40
need dd if="$(bd a)" of=/dev/null bs=4k skip=100 count=4 iflag=direct status=none
commits() { stage_is a commit 40; }
check "C has passed all" poll_until 20 commits
check "counters and histograms of the primary agree" agrees a 200
check "those of the replica too" agrees b 60
check_same "every write is counted" 40 \
	"$(metric a stage_duration_seconds_count stage=admit)"
check_same "under whoever released it" 40 "$(("$(metric a stage_duration_seconds_count \
	stage=complete of=a || echo 0)" + "$(metric a stage_duration_seconds_count \
	stage=complete of=b || echo 0)"))"
check_same "writes" 40 "$(metric a writes_total)"
check_same "bytes" $((40 * 4096)) "$(metric a write_bytes_total)"
check "roles" metric_is a role 1 role=primary
check "of both" metric_is b role 1 role=replica
check "in sync" metric_is a peer_in_sync 1 peer=b
check "nothing behind" metric_is a peer_behind_records 0 peer=b
check_same "the epoch" "$(st a .epoch)" "$(metric a epoch)"
check_same "the ring" "$(st a .log.ring_bytes)" "$(metric a ring_bytes)"

need swblockctl unlink vol/a b
not_in_sync() { metric_is a peer_in_sync 0 peer=b; }
check "a peer that is lost shows" poll_until 20 not_in_sync
check "and what follows of it" metric_is a condition 1 condition=degraded
# members come and go under a reader
{
	while [ ! -e "$swb_tmp/enough" ]; do
		metrics get swblock_module_up || exit 1
	done
} >"$swb_tmp/reader.out" 2>&1 &
reader=$!
for _ in 1 2 3; do
	need remove_member b
	need add_member b
done
touch "$swb_tmp/enough"
wait "$reader"
check_same "every page was valid while a member came and went" 0 $? ||
	quoted "$(tail -n 5 "$swb_tmp/reader.out")"
need remove_member b
gone_too() { ! metric b epoch; }
check "who is detached is told of no more" poll_until 20 gone_too
check "the others are" metric_is a role 1 role=primary
check "the daemon has served all that" kill -0 "$daemon"
finish
