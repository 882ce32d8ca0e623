#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A slot of a newer version is refused, even beside a good older one: case E.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a
must remove_member a
must swbdisk set "${lower[a]}" new version=3
check_refused E a "newest slot of version 3"
must swbdisk set "${lower[a]}" new version=2
must swbdisk set "${lower[a]}" old version=99
check_refused E a "older slot of version 99"
must swbdisk set "${lower[a]}" both version=2
check_opens H a "as it was"
finish
