#!/usr/bin/python3
"""Sends Ethernet frames of all kinds on an interface, or takes them from one and compares.

  frames.py serve DEVICE SEED COUNT    prints "ready"; exits 0 when all frames of that seed came,
                                       in order and byte for byte, within 20 s
  frames.py send DEVICE SEED COUNT [MAX]   MAX: longest frame without tags, 1514 unless given

  frames.py serve-tcp DEVICE SEED TAGS   the same with a stream of TCP superpackets behind 0 to 2
  frames.py send-tcp DEVICE SEED TAGS    VLAN tags, whose payload must come whole and in order

What a frame is follows from seed and number alone, so both ends know it. Needs: root, AF_PACKET.
"""
import random
import socket
import struct
import sys
import time

ETH_P_ALL = 3
SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 263, 8, 23
VLAN_VALID, TPID_VALID = 0x10, 0x40
# A locally administered station that nobody has: it marks the frames of this test.
SOURCE = bytes.fromhex("06f7a3e5c1")
GROUPS = [bytes.fromhex(text) for text in (
    "ffffffffffff", "0180c200000e", "01005e0000fb", "3333000000fb", "0180c2000000", "02aabbccddee")]


def payload_of(rng, longest):
    return rng.randbytes(rng.choice([0, 1, 2, 3, 15, 16, 17, 28, 46, rng.randrange(longest),
                                     longest - 1, longest]))


def frame_of(seed, number, longest):
    """The frame, as long as an interface takes it: one tag is extra."""
    frame = any_frame(random.Random(f"{seed}/{number}"), number, longest)
    return frame[:longest + 4 if number % 8 == 3 else longest]


def any_frame(rng, number, longest):
    group = rng.choice(GROUPS)
    head = group + SOURCE + bytes([number & 0xff])
    kind = number % 8
    body = payload_of(rng, longest - 14)
    if kind == 0:       # LLDP
        return head + b"\x88\xcc" + body
    if kind == 1:       # 802.3: a length, and LLC
        return head + struct.pack(">H", min(len(body), 1500)) + body
    if kind == 2:       # ARP, and padding behind it that is not zero
        return head + b"\x08\x06" + struct.pack(">HHBBH", 1, 0x800, 6, 4, 1) + rng.randbytes(38)
    if kind == 3:       # a VLAN tag; the kernel wants two bytes behind it
        return head + b"\x81\x00" + rng.randbytes(2) + b"\x88\xb5" + rng.randbytes(2) + body
    if kind == 4:       # two of them, and IPv4 that is not as long as it says
        return (head + b"\x88\xa8" + rng.randbytes(2) + b"\x81\x00" + rng.randbytes(2) +
                b"\x08\x00\x45\x00" + body)
    if kind == 5:       # says IPv6, is nothing
        return head + b"\x86\xdd" + body
    if kind == 6:       # an experimental type, with zeros at the end
        return head + b"\x88\xb5" + body[:-8] + bytes(min(len(body), 8))
    return head + b"\x08\x00" + bytes([0x45, 3]) + body


def whole(data, ancillary):
    """A frame with the tag that the kernel has taken out of it, put back."""
    for level, kind, value in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", value[:20])
            if status & VLAN_VALID:
                tag = struct.pack(">HH", tpid if status & TPID_VALID else 0x8100, tci)
                return data[:12] + tag + data[12:]
    return data


def open_on(device):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sock.bind((device, ETH_P_ALL))
    return sock


def serve(device, seed, count, longest):
    sock = open_on(device)
    print("ready", flush=True)
    number, deadline = 0, time.monotonic() + 20
    while number < count:
        sock.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            data, ancillary, _, address = sock.recvmsg(70000, 200)
        except socket.timeout:
            sys.exit(f"frame {number} of {count} did not come")
        if address[2] == socket.PACKET_OUTGOING or data[6:11] != SOURCE:
            continue
        got, wanted = whole(data, ancillary), frame_of(seed, number, longest)
        if got != wanted:
            sys.exit(f"frame {number}: {len(got)} bytes {got[:40].hex()}, "
                     f"not {len(wanted)} bytes {wanted[:40].hex()}")
        number += 1
    print("all came")


def send(device, seed, count, longest):
    sock = open_on(device)
    for number in range(count):
        sock.send(frame_of(seed, number, longest))
        time.sleep(0.001)


STREAM_LEN, SUPER_LEN, GSO_SIZE = 2000000, 40000, 1400
PACKET_VNET_HDR = 15


def link_header(n_tags):
    types = [b"\x81\x00\x00\x05", b"\x88\xa8\x20\x07\x81\x00\x40\x09"]
    return b"\x02\xaa\xbb\xcc\xdd\xee" + SOURCE + b"\x77" + (
        types[n_tags - 1] if n_tags else b"") + b"\x08\x00"


def fold(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def super_packet(n_tags, seq, payload):
    """An offload header, and a frame that the kernel or the interface has to cut."""
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 7, 0x4000, 64, 6, 0,
                       bytes([10, 99, 0, 1]), bytes([10, 99, 0, 2]))
    head = head[:10] + struct.pack(">H", 0xffff - fold(head)) + head[12:]
    pseudo = fold(head[12:20] + struct.pack(">II", 6, 20 + len(payload)))
    tcp = struct.pack(">HHIIBBHHH", 7, 7, seq, 1, 0x50, 0x10, 1000, pseudo, 0)
    link = link_header(n_tags)
    start = len(link) + 20
    return struct.pack("<BBHHHH", 1, 1, start + 20, GSO_SIZE, start, 16) + link + head + tcp + payload


def send_tcp(device, seed, n_tags, _):
    stream = random.Random(seed).randbytes(STREAM_LEN)
    sock = open_on(device)
    sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    for at in range(0, STREAM_LEN, SUPER_LEN):
        sock.send(super_packet(n_tags, at, stream[at:at + SUPER_LEN]))
        time.sleep(0.005)


def serve_tcp(device, seed, n_tags, _):
    stream = random.Random(seed).randbytes(STREAM_LEN)
    link, sock = link_header(n_tags), open_on(device)
    print("ready", flush=True)
    at, n_frames, deadline = 0, 0, time.monotonic() + 20
    while at < STREAM_LEN:
        sock.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            data, ancillary, _, address = sock.recvmsg(70000, 200)
        except socket.timeout:
            sys.exit(f"only {at} bytes came, in {n_frames} frames")
        if address[2] == socket.PACKET_OUTGOING or data[6:11] != SOURCE:
            continue
        frame = whole(data, ancillary)
        if frame[:len(link)] != link:
            sys.exit(f"another header: {frame[:len(link)].hex()}")
        ip_len, = struct.unpack_from(">H", frame, len(link) + 2)
        seq, = struct.unpack_from(">I", frame, len(link) + 24)
        payload = frame[len(link) + 40:len(link) + ip_len]
        if seq != at or payload != stream[at:at + len(payload)]:
            sys.exit(f"not what follows on {at} bytes: {len(payload)} bytes at {seq}")
        at += len(payload)
        n_frames += 1
    print(f"all came in {n_frames} frames")


if __name__ == "__main__":
    does = {"serve": serve, "send": send,
            "serve-tcp": serve_tcp, "send-tcp": send_tcp}[sys.argv[1]]
    does(sys.argv[2], sys.argv[3], int(sys.argv[4]),
         int(sys.argv[5]) if len(sys.argv) > 5 else 1514)
