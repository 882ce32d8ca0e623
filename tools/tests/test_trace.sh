#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tracepoints are an API: the table of docs/design/observability.md and kmod/trace.h name
# the same events with the same arguments in the same order, all of them scalars, at most
# twelve; and the stages are those of the uapi.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd -P)
doc=$top/docs/design/observability.md
header=$top/kmod/trace.h
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0

check()
{
	n=$((n + 1))
	if "${@:2}"; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
	fi
}

# name: type argument, type argument, ...
from_header()
{
	tr '\n' ' ' <"$1" | sed 's/TRACE_EVENT(/\n&/g' |
		sed -nE 's/^TRACE_EVENT\((\w+),\s*TP_PROTO\(([^)]*)\).*/\1: \2/p' |
		sed -E 's/\s+/ /g' | sort
}

# | `name` | `type argument, ...` | when |
from_doc()
{
	# shellcheck disable=SC2016 # backquotes of Markdown
	sed -nE 's/^\| `(swblock_\w+)` \| `([^`]*)` \|.*/\1: \2/p' "$1" | sort
}

same()
{
	from_header "$1" >"$tmp/header"
	from_doc "$2" >"$tmp/doc"
	[ -s "$tmp/header" ] && diff -u "$tmp/doc" "$tmp/header" | sed 's/^/# /' &&
		cmp -s "$tmp/doc" "$tmp/header"
}

no_twelve()
{
	! from_header "$header" | awk -F, 'NF > 12' | grep .
}

all_scalars()
{
	! from_header "$header" | sed 's/^[^:]*: //' | tr ',' '\n' |
		grep -vE '^ ?(u32|u64|s32) \w+$'
}

each_has_its_fields()
{
	local args fields
	args=$(from_header "$header" | grep -o ',' | wc -l)
	args=$((args + $(from_header "$header" | wc -l)))
	fields=$(grep -cE '__field\((u32|u64|s32), ' "$header")
	[ "$args" = "$fields" ]
}

stages()
{
	sed -nE '/^enum swblock_stage/,/^}/s/^\tSWBLOCK_STAGE_(\w+)\s+= ([0-9]+),.*/\2 \1/p' \
		"$top/kmod/uapi/linux/swblock.h" | tr 'A-Z_' 'a-z-' >"$tmp/uapi"
	# shellcheck disable=SC2016 # as above
	sed -nE 's/^\| ([0-9]+) \| `([a-z-]+)` \|.*/\1 \2/p' "$doc" >"$tmp/stages"
	[ -s "$tmp/uapi" ] && diff "$tmp/stages" "$tmp/uapi" | sed 's/^/# /' &&
		cmp -s "$tmp/stages" "$tmp/uapi"
}

# a copy with one argument renamed must be told from the document
renamed()
{
	sed 's/u32 reason/u32 cause/' "$header" >"$tmp/trace.h"
	! same "$tmp/trace.h" "$doc" >/dev/null
}

check "the document names every tracepoint with its arguments" same "$header" "$doc"
check "a renamed argument would be noticed" renamed
check "none has more than twelve arguments, BPF can see no more" no_twelve
check "all arguments are scalars" all_scalars
check "each argument is a field of the record, too" each_has_its_fields
check "the document names every stage with its number" stages
