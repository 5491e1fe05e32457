#!/usr/bin/python3
"""Writes the first seeds of fuzz_control_messages into corpus/.

When: after a change of the target's input format. Needs: nothing but Python 3, on a little-endian
64-bit machine. One seed stands for one kind of message; libFuzzer finds the rest.
"""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
ERROR_QUEUE, MADE, TRUNCATED, CONTROL_TRUNCATED = 1, 2, 4, 8
GRO, PKTINFO4, TOS, PKTINFO6, TCLASS, RECVERR4, RECVERR6, OTHER = range(8)
# Level and type as in the kernel's headers, in the order above.
KERNEL = ((17, 104), (0, 8), (0, 1), (41, 50), (41, 67), (0, 11), (41, 25), (1, 29))
AF_INET, AF_INET6 = 2, 10
FROM4 = struct.pack("<H", AF_INET) + struct.pack(">H", 51820) + bytes([192, 0, 2, 1]) + bytes(8)
FROM6 = (struct.pack("<H", AF_INET6) + struct.pack(">HI", 51820, 0) + b"\xfe\x80" + bytes(13) +
         b"\1" + struct.pack("<I", 3))
INFO4 = struct.pack("<I", 2) + bytes([192, 0, 2, 2]) * 2
INFO6 = b"\xfe\x80" + bytes(13) + b"\2" + struct.pack("<I", 3)
GROUP6 = b"\xff\x02" + bytes(13) + b"\2" + struct.pack("<I", 3)
GLOBAL6 = b"\xfd\x00" + bytes(13) + b"\2" + struct.pack("<I", 3)


def record(kind, data, lie=0):
    return struct.pack("<BbB", kind, lie, len(data)) + data


def raw(kind, data, claim=None):
    level, number = KERNEL[kind]
    head = struct.pack("<QII", 16 + len(data) if claim is None else claim, level, number)
    return head + data + bytes(-len(data) % 8)


def message(flags, length, name, control, claim=None):
    return (struct.pack(">BHBB", flags, length, len(name) if claim is None else claim,
                        len(name)) + name + control)


def number(value):
    return struct.pack("<i", value)


def failure(errno, origin, kind, code, offender):
    return struct.pack("<IBBBBII", errno, origin, kind, code, 0, 1400, 0) + offender


def datagrams():
    all4 = [(PKTINFO4, INFO4), (TOS, b"\2"), (GRO, number(1452))]
    all6 = [(PKTINFO6, INFO6), (TCLASS, number(3)), (GRO, number(1452))]
    for name, sender, controls in (("4", FROM4, all4), ("6", FROM6, all6)):
        made = b"".join(record(*c) for c in controls)
        memory = b"".join(raw(*c) for c in controls)
        yield "run" + name, message(MADE, 14520, sender, made)
        yield "raw-run" + name, message(0, 14520, sender, memory)
        yield "one" + name, message(MADE, 148, sender, made[:-7])
        yield "none" + name, message(0, 148, sender, b"")
        yield "cut" + name, message(TRUNCATED | MADE, 65507, sender, made)
        yield "cut-control" + name, message(CONTROL_TRUNCATED, 9000, sender, memory[:-6])
        yield "cut-header" + name, message(CONTROL_TRUNCATED, 9000, sender, memory[:-16])
        yield "unnamed" + name, message(MADE, 148, sender, made, 0)
        yield "half-named" + name, message(MADE, 148, sender, made, 8)
        yield "empty" + name, message(MADE, 0, sender, made)
    yield "mapped-mix", message(MADE, 99, FROM4, record(PKTINFO6, INFO6))
    yield "group", message(MADE, 99, FROM6, record(PKTINFO6, GROUP6))
    yield "global", message(MADE, 99, FROM6, record(PKTINFO6, INFO6) + record(PKTINFO6, GLOBAL6))
    for value in (0, -1, 1, 100, 101, 65535, 1 << 30):
        yield "gro%d" % value, message(MADE, 100, FROM4, record(GRO, number(value)))
    yield "gro-short", message(MADE, 100, FROM4, record(GRO, b"\5\0"))
    yield "other", message(MADE, 100, FROM4, record(OTHER, bytes(16)) + record(TOS, b"\1"))
    yield "foreign", message(0, 9, b"\1\0/run/x", raw(TOS, b"\1"))
    for claim in (0, 15, 16, 17, 200, (1 << 64) - 1, (1 << 64) - 8, 1 << 63):
        yield "claim%x" % claim, message(0, 100, FROM4, raw(TOS, b"\1", claim) +
                                         raw(GRO, number(50)))
    for lie in (-21, -4, -1, 1, 100):
        yield "lie%d" % lie, message(MADE, 100, FROM4, record(GRO, number(50), lie) +
                                     record(TOS, b"\1"))


def errors():
    refused = failure(111, 2, 3, 3, FROM4)
    too_big = failure(90, 3, 2, 0, FROM6)
    local = failure(90, 1, 0, 0, bytes(16))
    yield "refused", message(ERROR_QUEUE | MADE, 0, FROM4, record(RECVERR4, refused))
    yield "raw-refused", message(ERROR_QUEUE, 0, FROM4, raw(RECVERR4, refused))
    yield "too-big", message(ERROR_QUEUE | MADE, 0, FROM6, record(RECVERR6, too_big))
    yield "raw-too-big", message(ERROR_QUEUE, 0, FROM6, raw(RECVERR6, too_big))
    yield "local", message(ERROR_QUEUE | MADE, 0, FROM4, record(RECVERR4, local))
    yield "no-offender", message(ERROR_QUEUE | MADE, 0, FROM4, record(RECVERR4, refused[:16]))
    yield "short", message(ERROR_QUEUE | MADE, 0, FROM4, record(RECVERR4, refused[:15]))
    yield "no-error", message(ERROR_QUEUE | MADE, 0, FROM4, record(PKTINFO4, INFO4))
    yield "zero", message(ERROR_QUEUE | MADE, 0, FROM4,
                          record(RECVERR4, failure(0, 4, 0, 0, bytes(16))))
    yield "large", message(ERROR_QUEUE | MADE, 0, FROM4,
                           record(RECVERR4, failure(1 << 31, 2, 3, 3, bytes(16))))
    yield "unnamed", message(ERROR_QUEUE | MADE, 0, b"", record(RECVERR4, refused))
    yield "two", message(ERROR_QUEUE | MADE, 0, FROM6,
                         record(RECVERR6, too_big) + record(RECVERR6, too_big[:9]))


def main():
    folder = os.path.join(HERE, "corpus", "control_messages")
    os.makedirs(folder, exist_ok=True)
    for kind, seeds in (("datagram", datagrams()), ("error", errors())):
        for name, content in seeds:
            with open(os.path.join(folder, kind + "-" + name), "wb") as seed:
                seed.write(content)


if __name__ == "__main__":
    main()
