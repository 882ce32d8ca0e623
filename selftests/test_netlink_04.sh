#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Thousands of random messages are all answered, and the kernel stays whole.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a
id=$(st a .volume_id)
for seed in 1 2 3 $RANDOM; do
	check "seed $seed" nl_fuzz "$seed" 1500 "$id"
	attached a || need add_member a
	id=$(st a .volume_id)
done
check "a volume still works" sh -c 'swblockctl remove vol/a --force && true'
need add_member a
check "and the module leaves" sh -c 'swblockctl remove vol/a && rmmod swblock'
finish
