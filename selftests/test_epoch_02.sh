#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# best_effort: without the last primary's own report nobody else is promoted.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a b
assign best_effort
need promote a
need load_write a -n 20
need remove_member a
text=$(promote b -j 2>&1)
check_same "refused for safety" 4 $?
check "with the case letter of missing evidence" grep -q 'case [KN]' <<<"$text"
check "the text names who is missing, or what to do" jq -e '.error.hint | length > 20' <<<"$text"
check_same "b has no role" false "$(st b '.role == "primary"')"
check_code 30 "and no writers" python3 -c "import os, sys
try:
    os.open('$(bd b)', os.O_RDWR)
except OSError as e:
    sys.exit(e.errno)"
need add_member a
check "with a's report a is promoted again" promote a
check "and has its data" load_verify a
finish
