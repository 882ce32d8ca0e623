#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Seeds for fuzz_documents: one good document of each kind into a directory."""
import json
import os
import sys

UUID = "0f000000-1111-4222-8333-44444444444%d"
MEMBER = {"replica": UUID % 1, "label": "a", "node": "h1", "data": "/dev/vdb", "wal": "",
          "format": True, "format_force": False}
REPORT = {"replica": UUID % 1, "adopted": 3, "last_epoch": 2, "durable": 10,
          "committed": 9, "flags": 0}
CONFIG = {"mode": "sync_all", "policy": "local", "members": [
    {"replica": UUID % 1, "label": "a", "required": True},
    {"replica": UUID % 2, "label": "b", "required": False}]}
PEER = {"replica": UUID % 2, "state": "in_sync", "required": True, "letter": "C",
        **{k: 1 for k in (
            "reason session match_lsn target_lsn cursor_lsn received_lsn written_lsn "
            "durable_lsn behind_lsn behind_bytes behind_ns").split()},
        "rebuild": {"kind": "", "done_bytes": 0, "total_bytes": 0, "rate_bytes": 0,
                    "eta_ms": 0}}
DOCUMENTS = [
    {"sequence": 1, "label": "db", "size_bytes": 1 << 30, "mode": "sync_quorum",
     "policy": "local", "required": 1, "primary_only": False, "lease_ms": 1000,
     "shrink_ms": 0, "primary": None, "override": False, "stopped": False, "reason": "",
     "member": [MEMBER]},
    {"node": "h1", "boot": UUID % 9, "report": REPORT},
    {"node": "h1", "boot": UUID % 9, "replica": UUID % 1, "label": "a", "attached": True,
     "role": "primary", "settled": True, "primary": UUID % 1, "local_letter": "A",
     "promote_letter": None, "volume_letter": "B", "member_letter": "C", "waits": "",
     "error": "", "store": UUID % 8, "peer": [PEER],
     **{k: 1 for k in (
         "sequence minor epoch opened conditions flags size_bytes head_lsn written_lsn "
         "durable_lsn committed_lsn extent_lo extent_hi log_start ring_bytes ring_used "
         "openers inflight parked lease_left_ms store_generation cause").split()}},
    {"node": "h1", "boot": UUID % 9, "instance": UUID % 7, "counter": 1,
     "address": "h1:7800", "version": "0.1"},
    {"id": 1, "verb": "rebuild", "target": UUID % 1, "by": "ops", "text": "",
     "state": "new", "args": {"rate": 1}, "result": None},
    {"volume": UUID % 5, "label": "db", "epoch": 3, "phase": "granted", "owner": "h1",
     "nonce": UUID % 6, "candidate": UUID % 1, "lease_ms": 0, "proposed_lease_ms": 0,
     "last_epoch": 3, "last_granted": UUID % 1, "overridden": 0, "primary_only": False,
     "serial": 4, "wish_done": 1,
     "members": [{"replica": UUID % 1, "label": "a"}], "config": CONFIG,
     "proposed": None, "granted": [{**CONFIG, "epoch": 3}],
     "cert": {"volume": UUID % 5, "store": UUID % 8, "store_generation": 1, "epoch": 3,
              "candidate": UUID % 1, "config": CONFIG, "judge": [CONFIG],
              "reports": [REPORT], "last_epoch": 2, "last_granted": UUID % 1,
              "flags": 0}},
]

os.makedirs(sys.argv[1], exist_ok=True)
for i, doc in enumerate(DOCUMENTS):
    with open(os.path.join(sys.argv[1], f"seed{i}"), "wb") as f:
        f.write(bytes([i]) + json.dumps(doc).encode())
