#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Unlink ends the link on both sides with its reason; a second one is refused, and a
# new link brings both level again.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

pair best_effort
check "unlink on the primary" swblockctl unlink vol/a b
check "the primary is detached" poll_until 5 detached a b
check_same "for this reason" unlinked "$(peer a b .reason)"
check "the replica is detached" poll_until 5 detached b a
check_same "the replica knows why" unlinked "$(peer b a .reason)"
check_not "there is nothing more to unlink" swblockctl unlink vol/a b
need load_write a -n 50
check "a new link brings both level" level a b
check "unlink on the replica" swblockctl unlink vol/b a
check "the primary is detached again" poll_until 5 detached a b
check_same "and knows why" unlinked "$(peer a b .reason)"
check "level again" level a b
check_not "a stranger cannot be unlinked" swblockctl unlink vol/a nobody
finish
