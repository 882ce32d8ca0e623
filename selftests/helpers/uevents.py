#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a listener of uevents finds in sysfs at the moment of the event.

uevents.py DEVICE ATTRIBUTE...	prints "ready", then for each event of that block device
				its action and the attributes, "-" if there is none
"""
import socket
import sys

KOBJECT_UEVENT = 15


def value(device, attribute):
    """One attribute, now."""
    try:
        with open(f"/sys/block/{device}/{attribute}", encoding="utf8") as f:
            return f.read().strip()
    except OSError:
        return "-"


def main(device, *attributes):
    """Until somebody ends it."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, KOBJECT_UEVENT) as s:
        s.bind((0, 1))
        print("ready", flush=True)
        while True:
            head = s.recv(65536).split(b"\0")[0].decode("utf8", "replace")
            action, _, path = head.partition("@")
            if path.endswith("/block/" + device):
                print(action, *(value(device, a) for a in attributes), flush=True)


main(*sys.argv[1:])
