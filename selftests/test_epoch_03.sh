#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An override says what may be lost, needs a reason and a yes, and is kept on record.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a b
assign best_effort
need promote a
need load_write a -n 20
need remove_member a
check_code 2 "an override without a reason" promote b --override --yes
check_code 4 "an override without a yes" promote b --override --reason "a burnt down"
text=$(promote b --override --reason "a burnt down" 2>&1)
check "the price is told" grep -qi 'lost\|lose\|LSN' <<<"$text"
check_same "nothing happened" false "$(st b '.role == "primary"')"
check "with both" promote b --override --reason "a burnt down" --yes
check_same "b is primary" primary "$(st b .role)"
check "the reason is on record" sh -c "swblockctl authority vol --history -j |
	grep -q 'a burnt down'"
check "and the epoch is marked" sh -c "swblockctl authority vol -j | jq -e \
	'[.. | .overridden? // empty] | any(. == $(st b .epoch))'"
finish
