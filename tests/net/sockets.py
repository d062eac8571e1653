#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""sockets.py ADDRESS PORT COUNT - open COUNT TCP connections and hold them until a line arrives on
standard input.

Prints "open N failed M", one line, when every attempt has ended (TIMEOUT seconds each, all at
once), and after the line "alive K": how many of the open ones have not been closed by the other
side. Plain TCP: a TLS server waits for the handshake, so nothing is sent.
"""
import select
import socket
import sys
import time

TIMEOUT = 2.0


def connect(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setblocking(False)
    s.connect_ex((address, port))
    return s


def settle(pending):
    """Wait until each connection is open or has failed."""
    poll, by_fd, good, bad = select.poll(), {}, [], 0
    for s in pending:
        poll.register(s, select.POLLOUT)
        by_fd[s.fileno()] = s
    end = time.monotonic() + TIMEOUT
    while by_fd and time.monotonic() < end:
        for fd, _ in poll.poll(100):
            s = by_fd.pop(fd)
            poll.unregister(fd)
            if s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                bad += 1
                s.close()
            else:
                good.append(s)
    for s in by_fd.values():
        s.close()
    return good, bad + len(by_fd)


def alive(s):
    try:
        return s.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def main():
    address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    good, bad = settle([connect(address, port) for _ in range(count)])
    print("open", len(good), "failed", bad, flush=True)
    sys.stdin.readline()
    print("alive", sum(alive(s) for s in good), flush=True)


main()
