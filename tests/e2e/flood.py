#!/usr/bin/env python3
"""A flood against a daemon's UDP port, from a stranger: initiations with a right mac1, which the
daemon must look at, and as many datagrams that are no message at all.

Usage: flood.py PUBLIC_KEY SOURCE ADDRESS PORT RATE

RATE is of all datagrams in a second. Prints "ready" when it has begun, and at the end (SIGTERM)
how many it has sent.
"""

import base64
import os
import signal
import socket
import sys
import time

from wgcrypto import ZERO16, new_private
from wgpeer import INITIATION, Noise, head

N_DIFFERENT = 256


def make_messages(public: bytes) -> list[bytes]:
    """Both kinds, taking turns."""
    stranger = Noise(new_private(), public)
    messages = []
    for _ in range(N_DIFFERENT):
        messages.append(stranger.macs(head(INITIATION, 0) + os.urandom(112), cookie=ZERO16))
        messages.append(os.urandom(148))
    return messages


def main() -> int:
    """Sends until it is told to end."""
    public, source, address, port, rate = sys.argv[1:]
    messages = make_messages(base64.b64decode(public))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((source, 0))
    sock.connect((address, int(port)))
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    print("ready", flush=True)
    begun, n_sent, n_lost = time.monotonic(), 0, 0
    while not ended:
        due = int((time.monotonic() - begun) * int(rate))
        while n_sent < due:
            try:
                sock.send(messages[n_sent % len(messages)])
            except OSError:
                n_lost += 1
            n_sent += 1
        time.sleep(0.002)
    took = time.monotonic() - begun
    print(f"{n_sent} sent in {took:.1f} s, {n_sent / took:.0f} a second, {n_lost} not taken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
