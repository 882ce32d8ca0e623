#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Nothing to test here: the runner must say skip, and give the reason.
. "$SWB_TOP/selftests/lib.sh"

require_tool no-such-tool-anywhere
fail "went on without the tool"
finish
