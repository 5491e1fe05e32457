#!/usr/bin/env python3
"""Sends or receives datagrams with a chosen type of service.

Usage: ecn_probe.py send ADDRESS PORT TOS        one datagram that carries TOS as text
       ecn_probe.py serve ADDRESS PORT COUNT     prints "SENT GOT" for each that comes

TOS is the whole byte, in decimal: DSCP and ECN. GOT is the byte of the packet that came.
"""
import socket
import struct
import sys


def main(verb, address, port, value):
    is_v6 = ":" in address
    sock = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_DGRAM)
    level = socket.IPPROTO_IPV6 if is_v6 else socket.IPPROTO_IP
    if verb == "send":
        sock.setsockopt(level, socket.IPV6_TCLASS if is_v6 else socket.IP_TOS, int(value))
        sock.sendto(value.encode(), (address, int(port)))
        return
    sock.setsockopt(level, socket.IPV6_RECVTCLASS if is_v6 else socket.IP_RECVTOS, 1)
    sock.bind((address, int(port)))
    print("ready", flush=True)
    for _ in range(int(value)):
        data, control, _, _ = sock.recvmsg(100, 100)
        got = control[0][2]
        tos = struct.unpack("=i", got)[0] if len(got) == 4 else got[0]
        print(data.decode(), tos, flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
