# SPDX-License-Identifier: GPL-2.0-only
# Guest side of the report channel (descriptor 9). Sourced.
# shellcheck shell=bash

report()
{
	printf '%s\n' "$*" >&9
}

# Run a command, its output going to the host line by line. A daemon that the
# command left behind may keep the pipe open: give the pipe a moment, no more.
reported()
{
	local rc pipe fd i

	# the last line may lack its end; the next report must not be glued to it
	# shellcheck disable=SC1003,SC2016
	exec {fd}> >(exec stdbuf -oL sed -e 's/^/| /' -e '$a\' >&9)
	pipe=$!
	"$@" </dev/null >&"$fd" 2>&1 {fd}>&-
	rc=$?
	# the last line may lack its end; the next report must not be glued to it
	# shellcheck disable=SC1003,SC2016
	exec {fd}>&-
	for ((i = 0; i < 20; i++)); do
		kill -0 "$pipe" 2>/dev/null || break
		sleep 0.05
	done
	return "$rc"
}
