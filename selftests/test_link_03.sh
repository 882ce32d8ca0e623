#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A stranger is refused by name: foreign volume, replica, store, size, and facts that
# cannot be.
# timeout: 300
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

two best_effort
for who in "a:OPEN:1 b" "b:FACTS:1 a"; do
	read -r where closer <<<"$who"
	spoilt "$where=volume" "$closer" foreign_volume
	spoilt "$where=replica" "$closer" foreign_replica
	spoilt "$where=peer" "$closer" foreign_replica
	spoilt "$where=store" "$closer" foreign_store
	# a replica may be larger than its primary, never smaller
	spoilt "$where=$([ "$closer" = b ] && echo size || echo size-less)" "$closer" geometry
	spoilt "$where=block-size" "$closer" geometry
	spoilt "$where=lineage-count" "$closer" bad_record
	spoilt "$where=lineage-lsn" "$closer" bad_record
	spoilt "$where=log-end" "$closer" bad_record
done
finish
