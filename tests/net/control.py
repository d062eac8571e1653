#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""control.py VERB - clients of the control socket that do not behave; for test-control.sh.

garbage          every kind of broken request; each must be answered with code 2 or end the
                 connection
idle N           holds N connections open until standard input ends; prints "ready"
deaf             asks and asks and never reads, until the daemon hangs up; prints "dropped"
many N ENDPOINT PID [TERM]  N clients set its weight to 101, 102, ... in one batch: PID stands
                 still while they ask, and is then told to stop as well; all must be answered
leave ENDPOINT   sets its weight to 77 and hangs up
pipeline         several requests in one write, the last without a newline behind a half-closed
                 socket
"""
import json
import os
import resource
import signal
import socket
import sys
import time

SOCK = "/run/rrlb/control.sock"


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect(SOCK)  # blocks while the daemon's queue is full
    s.settimeout(10)
    return s


def ask(s, data):
    """Sends bytes, reads one line; b"" when the connection ended."""
    try:
        s.sendall(data)
        return s.makefile("rb").readline()
    except (BrokenPipeError, ConnectionResetError):
        return b""


def request(verb, **args):
    return (json.dumps({"v": 1, "verb": verb, "args": args}) + "\n").encode()


def garbage():
    bad = [
        b"\n",
        b"GET / HTTP/1.1\r\n",
        b"\x00\x00\x00\x00\n",
        b'{"v":1,"verb":"status\x00"}\n',
        b'{"v":1,"verb":"status"\n',
        b"[" * 60000 + b"\n",
        b'{"a":' * 12000 + b"\n",
        b'{"v":1,"verb":"flow list","args":{"limit":1' + b"0" * 400 + b"}}\n",
        b'{"v":1,"verb":"flow list","args":{"limit":-5}}\n',
        b'{"v":1,"verb":"endpoint drain","args":{"endpoint":{"a":1}}}\n',
        b'{"v":1,"verb":"endpoint drain","args":{"endpoint":"' + b"x" * 60000 + b'"}}\n',
        b'{"v":9,"verb":"status"}\n',
        b"\xff\xfe\xfd\n",
        b"x" * 70000 + b"\n",
        b"y" * 200000,
    ]
    for data in bad:
        answer = ask(connect(), data)
        if answer and json.loads(answer).get("code") != 2:
            sys.exit(f"{data[:40]!r}: {answer!r}")
        if not answer and len(data) < 65536:
            sys.exit(f"{data[:40]!r}: no answer")
    s = connect()  # a mistake does not end the connection
    refused = json.loads(ask(s, b"oops\n"))["code"] == 2
    if not refused or not json.loads(ask(s, request("version")))["ok"]:
        sys.exit("the connection does not go on after a mistake")
    for data in (b"", b'{"v":1,', request("version")[:-1]):  # half requests, then gone
        s = connect()
        s.sendall(data)
        s.close()
    for _ in range(300):  # noise
        s = connect()
        try:
            s.sendall(os.urandom(500))
        except BrokenPipeError:
            pass
        s.close()


def idle(n):
    resource.setrlimit(resource.RLIMIT_NOFILE, (n + 100, n + 100))
    held = [connect() for _ in range(n)]
    print("ready", flush=True)
    sys.stdin.read()
    del held


def deaf():
    s = connect()
    s.settimeout(40)
    sent = 0
    start = time.monotonic()
    try:
        while time.monotonic() - start < 60:
            sent += s.send(request("help") + request("verdicts") * 50)
    except (BrokenPipeError, ConnectionResetError, socket.timeout) as e:
        print("dropped" if not isinstance(e, socket.timeout) else f"still there after {sent} bytes")


def pipeline():
    s = connect()
    s.sendall(request("version") * 3 + b"nonsense\n" + request("service list"))
    s.shutdown(socket.SHUT_WR)
    lines = s.makefile("rb").read().splitlines()
    ok = [json.loads(line)["ok"] for line in lines]
    if ok != [True, True, True, False, True]:
        sys.exit(f"answers: {ok}")


def many(n, endpoint, pid, *also):
    clients = [connect() for _ in range(n)]
    for s in clients:
        ask(s, request("version"))  # it is accepted, not only in the queue
    os.kill(pid, signal.SIGSTOP)
    for i, s in enumerate(clients):
        s.sendall(request("endpoint weight", endpoint=endpoint, weight=str(101 + i)))
    if also:
        os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGCONT)
    for i, s in enumerate(clients):
        answer = s.makefile("rb").readline()
        if not answer or not json.loads(answer)["ok"]:
            sys.exit(f"client {i}: {answer!r}")


def leave(endpoint):
    s = connect()
    s.sendall(request("endpoint weight", endpoint=endpoint, weight="77"))
    s.close()


if __name__ == "__main__":
    if sys.argv[1] == "idle":
        idle(int(sys.argv[2]))
    elif sys.argv[1] == "many":
        many(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), *sys.argv[5:])
    elif sys.argv[1] == "leave":
        leave(sys.argv[2])
    else:
        globals()[sys.argv[1]]()
