#!/usr/bin/env python3
"""Sends an ICMP echo of every size and compares what comes back, byte for byte.

Usage: ping_sizes.py ADDRESS FIRST LAST [STEP]

FIRST and LAST are sizes of the echo's data, in bytes. One echo is under way at a time, so a
size that does not pass is named exactly; the fragmentation of the sender is off, so the packets
have the size that was asked for. Exits 1 when anything was lost or altered. Needs root.
"""
import os
import select
import socket
import struct
import sys
import time

IP_MTU_DISCOVER, IP_PMTUDISC_DO = 10, 2
IPV6_MTU_DISCOVER, IPV6_DONTFRAG = 23, 62


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def open_socket(address):
    """Returns (socket, request type, reply type, bytes in front of the reply's ICMP header)."""
    if ":" in address:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG, 1)
        return sock, 128, 129, 0
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
    return sock, 8, 0, 20


def echo(sock, address, kinds, ident, seq, size):
    """One echo. Returns None when it came back unaltered, else what went wrong."""
    request, reply, skip = kinds
    data = os.urandom(size)
    head = struct.pack("!BBHHH", request, 0, 0, ident, seq)
    if skip:  # the kernel fills in ICMPv6's checksum, not ICMP's
        head = struct.pack("!BBHHH", request, 0, checksum(head + data), ident, seq)
    try:
        sock.sendto(head + data, (address, 0))
    except OSError as error:
        return str(error)
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        if not select.select([sock], [], [], deadline - time.monotonic())[0]:
            break
        packet = sock.recv(65536)[skip:]
        if len(packet) < 8:
            continue
        kind, _, _, got_ident, got_seq = struct.unpack("!BBHHH", packet[:8])
        if kind != reply or got_ident != ident or got_seq != seq:
            continue
        return None if packet[8:] == data else "came back altered (%d bytes)" % len(packet[8:])
    return "no answer"


def main():
    address, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    step = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    sock, *kinds = open_socket(address)
    ident, n_failed = os.getpid() & 0xFFFF, 0
    sizes = list(range(first, last + 1, step))
    for seq, size in enumerate(sizes):
        problem = echo(sock, address, kinds, ident, seq & 0xFFFF, size)
        if problem:
            n_failed += 1
            print("size %d: %s" % (size, problem))
            if n_failed == 10:
                print("enough")
                break
    print("%d sizes to %s, %d did not pass" % (len(sizes), address, n_failed))
    sys.exit(1 if n_failed else 0)


if __name__ == "__main__":
    main()
