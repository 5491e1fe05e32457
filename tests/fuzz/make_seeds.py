#!/usr/bin/python3
"""Writes the first seeds of fuzz_datagram and fuzz_session into corpus/.

When: after a change of a target's input format. Needs: nothing but Python 3. The files are
small and stand for one kind of input each; libFuzzer finds the rest.
"""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))

MAC1, MAC2, SEALS, INDEX, LOAD, IPV6, WAITING = 1, 2, 4, 8, 16, 32, 64


def write(target, name, content):
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as seed:
        seed.write(bytes(content))


def initiation(stranger=0, stamp=(1 << 62) + 10 + 1800000000):
    text = struct.pack("<II", 1, 0x01020304) + bytes([stranger]) + bytes(31) + bytes(48)
    return (text + struct.pack(">QI", stamp, 0)).ljust(148, b"\0")


def datagrams():
    response = struct.pack("<III", 2, 5, 6) + bytes([9]) + bytes(79)
    cookie = struct.pack("<II", 3, 7) + bytes(56)
    yield "none", [0] + [0] * 8
    yield "initiation", bytes([MAC1 | SEALS]) + initiation()
    yield "initiation-old", bytes([MAC1 | SEALS]) + initiation(stamp=1)
    yield "initiation-stranger", bytes([MAC1 | SEALS]) + initiation(stranger=1)
    yield "initiation-raw", bytes([0]) + initiation()
    yield "initiation-garbled", bytes([MAC1]) + initiation(stranger=9)
    yield "initiation-low-order", bytes([MAC1]) + initiation()
    yield "initiation-load", bytes([MAC1 | SEALS | LOAD | IPV6]) + initiation()
    yield "initiation-cookie", bytes([MAC2 | SEALS | LOAD]) + initiation()
    yield "initiation-cookie6", bytes([MAC2 | SEALS | LOAD | IPV6]) + initiation()
    yield "response", bytes([MAC1 | INDEX | WAITING]) + response
    yield "response-unasked", bytes([MAC1]) + response
    yield "response-load", bytes([MAC1 | INDEX | WAITING | LOAD]) + response
    yield "cookie", bytes([INDEX | WAITING]) + cookie
    yield "cookie-unasked", bytes([0]) + cookie
    for counter in (0, 3, 1 << 40, 2 ** 64 - 2 ** 13 - 2, 2 ** 64 - 2 ** 13 - 1, 2 ** 64 - 1):
        yield "data-%x" % counter, bytes([SEALS]) + struct.pack("<IIQ", 4, 0, counter) + bytes(48)
    yield "data-keepalive", bytes([SEALS]) + struct.pack("<IIQ", 4, 0, 9) + bytes(16)
    yield "data-forged", bytes([INDEX]) + struct.pack("<IIQ", 4, 0, 9) + bytes(20)
    yield "data-unknown", bytes([0]) + struct.pack("<IIQ", 4, 0, 9) + bytes(16)


SEND, WAIT, DELIVER, ALL, DROP, COPY, SPOIL, REFLECT, RESTART, CLOCK, COUNTER, LOADED = range(12)


def scripts():
    start = [SEND, 0, 0] + [ALL, 0, 0] * 4
    yield "start", start
    yield "both", [SEND, 0, 0, SEND, 1, 0] + [ALL, 0, 0] * 5
    yield "both-reversed", [SEND, 0, 0, SEND, 1, 0] + [ALL, 1, 0] * 5
    yield "lost", [SEND, 0, 7, DROP, 0, 1, WAIT, 3, 5] + [ALL, 0, 0] * 4
    yield "spoiled", [SEND, 0, 0] + [SPOIL, 8, 5, SPOIL, 1, 100, ALL, 0, 0] * 4
    yield "copied", [SEND, 0, 0] + [COPY, 0, 0, ALL, 1, 0] * 5
    yield "reflected", start + [SEND, 0, 0, COPY, 0, 0, REFLECT, 0, 0, ALL, 0, 0] * 2
    yield "restart", start + [RESTART, 1, 0, SEND, 0, 2, ALL, 0, 0, WAIT, 3, 16] + [ALL, 0, 0] * 4
    yield "rekey", start + [WAIT, 3, 125, SEND, 0, 0] + [ALL, 0, 0] * 5
    yield "clock", start + [CLOCK, 4, 0x90, WAIT, 3, 185, SEND, 0, 0] + [ALL, 0, 0] * 5
    yield "counter", start + [COUNTER, 0, 2, SEND, 0, 6] + [ALL, 0, 0] * 5
    yield "rekey-count", start + [COUNTER, 3, 2, SEND, 1, 6] + [ALL, 0, 0] * 5
    yield "load", [LOADED, 1, 80, SEND, 0, 0, ALL, 0, 0, ALL, 0, 0, WAIT, 3, 5] + [ALL, 0, 0] * 4
    yield "old-copy", [SEND, 0, 0, COPY, 0, 0] + [DELIVER, 1, 0] * 4 + [WAIT, 3, 200, ALL, 0, 0]


for seed_name, seed_content in datagrams():
    write("datagram", seed_name, seed_content)
for seed_name, seed_content in scripts():
    write("session", seed_name, seed_content)
