#!/usr/bin/python3
"""Writes the first seeds of fuzz_vnet and fuzz_gro, and frames for fuzz_inner, into corpus/.

When: after a change of a target's input format. Needs: nothing but Python 3, on a little-endian
machine. One seed stands for one kind of traffic; libFuzzer finds the rest.
"""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
TCP, UDP = 6, 17
TCPV4, TCPV6, UDP_L4 = 1, 4, 5


def write(target, name, content):
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as seed:
        seed.write(bytes(content))


def fold(data):
    data = bytes(data) + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def packet(v6, protocol, payload, index=0, partial=False, flags=0x10, options=b"", extension=b""):
    """One whole packet; number `index` of its flow when payloads are equally long."""
    addresses = bytes(range(32)) if v6 else bytes(range(8))
    if protocol == TCP:
        l4 = struct.pack(">HHIIBBHHH", 1, 2, 1000 + index * len(payload), 7,
                         (20 + len(options)) // 4 << 4, flags, 99, 0, 0) + options
        field = 16
    else:
        l4 = struct.pack(">HHHH", 1, 2, 8 + len(payload), 0)
        field = 6
    l4 += payload
    pseudo = fold(addresses + struct.pack(">II", len(l4), protocol))
    check = pseudo if partial else 0xffff - fold(struct.pack(">H", pseudo) + l4)
    l4 = l4[:field] + struct.pack(">H", check) + l4[field + 2:]
    if v6:
        return struct.pack(">IHBB", 6 << 28, len(extension) + len(l4),
                           60 if extension else protocol, 64) + addresses + extension + l4
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(l4), 5 + index, 0x4000, 64, protocol, 0)
    check = 0xffff - fold(head + addresses)
    return head[:10] + struct.pack(">H", check) + addresses + l4


def super_packets():
    payload = bytes(range(200))
    for name, v6, protocol, kind in (("tcp4", 0, TCP, TCPV4), ("tcp6", 1, TCP, TCPV6),
                                     ("udp4", 0, UDP, UDP_L4), ("udp6", 1, UDP, UDP_L4)):
        whole = packet(v6, protocol, payload, partial=True, flags=0xd9)
        start, offset = 40 if v6 else 20, 16 if protocol == TCP else 6
        yield name, struct.pack("<BBHHHH", 1, kind, 0, 64, start, offset) + whole
        yield name + "-tiny", struct.pack("<BBHHHH", 1, kind, 0, 3, start, offset) + whole
        yield name + "-single", struct.pack("<BBHHHH", 1, 0, 0, 0, start, offset) + whole
        yield name + "-plain", bytes(10) + whole
    whole = packet(0, TCP, payload, partial=True, options=bytes(12))
    yield "options", struct.pack("<BBHHHH", 1, 0x81, 9, 50, 20, 16) + whole
    whole = packet(1, TCP, payload, partial=True, extension=bytes([TCP, 1]) + bytes(14))
    yield "extension", struct.pack("<BBHHHH", 1, 4, 9, 50, 56, 16) + whole


def in_frame(whole, tags=0):
    """The packet behind stations, VLAN tags and a type."""
    kind = b"\x86\xdd" if whole[0] >> 4 == 6 else b"\x08\x00"
    return b"\xff" * 6 + b"\x02" * 6 + b"\x81\x00\x00\x05" * tags + kind + whole


def super_frames():
    """Flags: 0x80 for a frame, 0x40 for a narrow path."""
    for name, v6, protocol, kind in (("tcp4", 0, TCP, TCPV4), ("tcp6", 1, TCP, TCPV6),
                                     ("udp4", 0, UDP, UDP_L4)):
        for tags in range(3):
            whole = packet(v6, protocol, bytes(range(250)) * 8, partial=True, flags=0xd9)
            start, offset = 14 + 4 * tags + (40 if v6 else 20), 16 if protocol == TCP else 6
            for flags in (0x81, 0xc1):
                yield (f"frame-{name}-{tags}-{flags:x}",
                       struct.pack("<BBHHHH", flags, kind, 0, 900, start, offset) +
                       in_frame(whole, tags))
    yield "frame-arp", struct.pack("<BBHHHH", 0x80, 0, 0, 0, 0, 0) + b"\xff" * 12 + b"\x08\x06" + bytes(28)


def frame_batches():
    for name, v6, protocol in (("tcp4", 0, TCP), ("tcp6", 1, TCP), ("udp4", 0, UDP)):
        run = [packet(v6, protocol, bytes([i]) * 50, i) for i in range(6)]
        for tags in range(3):
            yield f"frame-{name}-{tags}", batch(0x83, [in_frame(p, tags) for p in run])
        yield f"frame-{name}-mixed", batch(0x83, [in_frame(p, i // 3) for i, p in enumerate(run)])
        yield f"frame-{name}-padded", batch(0x83, [in_frame(p) + bytes(i % 2)
                                                   for i, p in enumerate(run)])


def padded_frames():
    for tags in range(3):
        for v6 in (0, 1):
            frame = in_frame(packet(v6, UDP, bytes(20)), tags)
            for n in (1, 9, 16):
                yield f"frame-{tags}-{v6}-{n}", (bytes([0x80, 3]) + frame + bytes(n - 1) +
                                                 bytes([n]))
    yield "frame-short", bytes([0x80, 0]) + bytes(13) + bytes([1])
    yield "frame-bad-padding", bytes([0x80, 0]) + bytes(40) + bytes([17])


def batch(flags, packets):
    return bytes([flags]) + b"".join(struct.pack(">H", len(p)) + p for p in packets)


def batches():
    for name, v6, protocol in (("tcp4", 0, TCP), ("tcp6", 1, TCP), ("udp4", 0, UDP),
                               ("udp6", 1, UDP)):
        run = [packet(v6, protocol, bytes([i]) * 50, i) for i in range(6)]
        yield name, batch(3, run)
        yield name + "-trusted", batch(7, run)
        yield name + "-off", batch(0, run)
        yield name + "-damaged", batch(3, run[:3] + [run[3][:-1] + b"!"] + run[4:])
        yield name + "-gap", batch(3, run[:2] + run[3:])
        yield name + "-short", batch(3, [packet(v6, protocol, bytes(40), i) for i in range(3)] +
                                     [packet(v6, protocol, bytes(9), 3)])
    four = [packet(0, TCP, bytes(30), i) for i in range(4)]
    yield "mixed", batch(3, [p for pair in zip(four, [packet(1, UDP, bytes(30))] * 4)
                             for p in pair])
    yield "fragment", batch(3, four[:2] + [four[0][:6] + b"\x20" + four[0][7:]] + four[2:])
    yield "acks", batch(3, [packet(0, TCP, b"", i) for i in range(3)])


def main():
    for name, content in super_packets():
        write("vnet", name, content)
    for name, content in batches():
        write("gro", name, content)
    for name, content in super_frames():
        write("vnet", name, content)
    for name, content in frame_batches():
        write("gro", name, content)
    for name, content in padded_frames():
        write("inner", name, content)


if __name__ == "__main__":
    main()
