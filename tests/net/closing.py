#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""closing.py ADDRESS PORT WHO COUNT RATE SOURCE... - COUNT short connections, RATE a second (0: as
fast as they go), one after the other.

WHO closes first: client, or endpoint (which answers what is no TLS and closes). Prints "ok N failed
M again K": K connects took so long that the SYN came again.
"""
import random
import socket
import sys
import time

AGAIN = 0.9  # seconds: Linux repeats a SYN after one


def connect(address, port, source):
    s = socket.socket()
    s.settimeout(10)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((source, 0))
    s.connect((address, port))
    return s


def finish(s, who):
    if who == "endpoint":
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
    else:
        s.shutdown(socket.SHUT_WR)
    while s.recv(4096):
        pass
    s.close()


def main():
    address, port, who, count, rate = sys.argv[1:6]
    sources = sys.argv[6:]
    ok = failed = again = 0
    due = time.monotonic()
    for _ in range(int(count)):
        if float(rate):
            due += 1 / float(rate)
            time.sleep(max(0.0, due - time.monotonic()))
        try:
            began = time.monotonic()
            s = connect(address, int(port), random.choice(sources))
            again += time.monotonic() - began > AGAIN
            finish(s, who)
            ok += 1
        except OSError:
            failed += 1
    print("ok %d failed %d again %d" % (ok, failed, again))


main()
