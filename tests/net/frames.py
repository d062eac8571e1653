#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""frames.py INTERFACE DESTINATION-MAC KIND SOURCE DESTINATION [COUNT] - send raw frames that no
socket would send.

KIND: igmp (a membership report to 224.0.0.22 with router alert) · tcp-options (IPv4 with options,
SYN to port 22) · tcp-frag (first fragment of a TCP segment to port 443) · tcp-frag2 (a later
fragment) · udp (to port 443) · vlan (an 802.1Q tagged SYN to port 443) · ack (an ACK to port 443
without a connection) · syn-short (a SYN to port 443 whose TCP header is cut off) · syn-fin (SYN
and FIN at once)
"""
import socket
import struct
import sys


def checksum(data):
    data += b"\0" * (len(data) & 1)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(src, dst, proto, payload, options=b"", fragment=0):
    length = 20 + len(options)
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | length // 4, 0, length + len(payload), 7,
                       fragment, 64, proto, 0,
                       socket.inet_aton(src), socket.inet_aton(dst)) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def tcp(src, dst, port, flags, payload=b""):
    head = struct.pack("!HHIIBBHHH", 40001, port, 1, 1 if flags & 0x10 else 0, 5 << 4, flags,
                       8192, 0, 0) + payload
    pseudo = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!HH", 6, len(head))
    return head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]


def igmp(src):
    body = struct.pack("!BBHHH", 0x22, 0, 0, 0, 1)
    body += struct.pack("!BBH4s", 4, 0, 0, socket.inet_aton("239.1.1.1"))
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    return ipv4(src, "224.0.0.22", 2, body, b"\x94\x04\0\0")


def packet(kind, src, dst):
    syn, fin, ack = 2, 1, 16
    if kind == "igmp":
        return igmp(src)
    if kind == "tcp-options":
        return ipv4(src, dst, 6, tcp(src, dst, 22, syn), b"\x07\x07\x04\0\0\0\0\0")
    if kind == "tcp-frag":
        return ipv4(src, dst, 6, tcp(src, dst, 443, ack, b"x" * 20), fragment=0x2000)
    if kind == "tcp-frag2":
        return ipv4(src, dst, 6, b"x" * 40, fragment=5)
    if kind == "udp":
        return ipv4(src, dst, 17, struct.pack("!HHHH", 40001, 443, 12, 0) + b"data")
    if kind == "ack":
        return ipv4(src, dst, 6, tcp(src, dst, 443, ack))
    if kind == "syn-short":
        return ipv4(src, dst, 6, tcp(src, dst, 443, syn)[:12])
    if kind == "syn-fin":
        return ipv4(src, dst, 6, tcp(src, dst, 443, syn | fin))
    if kind == "vlan":
        return ipv4(src, dst, 6, tcp(src, dst, 443, syn))
    sys.exit("frames.py: no kind '%s'" % kind)


def main():
    interface, mac, kind, src, dst = sys.argv[1:6]
    count = int(sys.argv[6]) if len(sys.argv) > 6 else 1
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((interface, 0))
    own = s.getsockname()[4]
    tag = b"\x81\0\0\x07" if kind == "vlan" else b""
    frame = bytes.fromhex(mac.replace(":", "")) + own + tag + b"\x08\0" + packet(kind, src, dst)
    for _ in range(count):
        s.send(frame)


main()
