#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A slip of the finger is answered with what was probably meant.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

load_module
meant()
{
	local want=$1 text
	shift

	text=$("$@" 2>&1)
	grep -q "did you mean.*$want" <<<"$text" || { echo "$text"; return 1; }
}
check "a verb, one letter wrong" meant status swblockctl stauts
check "a verb, cut short" meant promote swblockctl promot vol/a
check "an option" meant --minor swblockctl add /dev/null --mino 3
check "in JSON, too" meant --force swblockctl format -j /dev/null --forze
fresh a
text=$(swblockctl status vol/b 2>&1)
check_same "an unknown member has code 3" 3 $?
check "and is told which there are" grep -q 'vol/a' <<<"$text"
check_code 3 "an unknown device" swblockctl status /dev/swblock99
check_code 3 "an unknown volume" swblockctl assign nothing --members a --mode best_effort
finish
