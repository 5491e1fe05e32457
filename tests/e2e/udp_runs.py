#!/usr/bin/env python3
"""Sends runs of numbered datagrams with UDP_SEGMENT, as QUIC programs do, to a udp-serve of
traffic.py, which verifies each.

Usage: udp_runs.py ADDRESS PORT COUNT RATE SIZE PER_RUN

COUNT datagrams of SIZE bytes, PER_RUN with each system call (the last may be shorter by half),
RATE datagrams a second (0: as fast as the socket takes them).
"""
import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import traffic  # noqa: E402  the neighbour

SOL_UDP, UDP_SEGMENT = 17, 103
SO_SNDBUFFORCE = 32


def main(address, port, count, rate, size, per_run):
    count, rate, size, per_run = int(count), float(rate), int(size), int(per_run)
    sock = socket.socket(traffic.family_of(address), socket.SOCK_DGRAM)
    # A few runs may wait for a daemon that is not reading.
    sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 22)
    sock.connect((address, int(port)))
    rest = os.urandom(size - traffic.NUMBER.size)
    segment = [(SOL_UDP, UDP_SEGMENT, struct.pack("=H", size))]
    begun = time.monotonic()
    number, n_runs = 1, 0
    while number <= count:
        if rate:
            early = begun + number / rate - time.monotonic()
            if early > 0:
                time.sleep(early)
        n = min(per_run, count - number + 1)
        parts = [traffic.datagram(number + i, rest) for i in range(n)]
        n_runs += 1
        if n > 1 and n_runs % 2:
            parts[-1] = traffic.datagram(number + n - 1, rest[: len(rest) // 2])
        sock.sendmsg(parts, segment)
        number += n
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
