#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Statistics and report of scripts/bench, on figures that were recorded or made up.
exec python3 "$(dirname "$0")/../bench/test_bench.py"
