"""Hostile data messages, hostile inner packets, and trouble in the outer headers."""

import os

from hostile_make import (
    LIMIT,
    PEER,
    RAW,
    Row,
    STRANGER,
    bits,
    fragment,
    icmp_error,
    inner4,
    inner6,
    inner_from,
    junk,
    odd_sources,
    outer_udp,
)
from wgcrypto import flip
from wgpeer import Keypair, Noise

DATA_ROWS: list[Row] = [
    (
        "index",
        "data to an unknown index",
        STRANGER,
        lambda t: [
            t.sealed(receiver=n) for n in (0, 1, 2**32 - 1, t.keys.local, t.keys.remote ^ 1)
        ],
    ),
    (
        "tag",
        "data, 1,000 single bits flipped in the ciphertext",
        STRANGER,
        lambda t: bits(t.sealed(inner=bytes(1200)), 16, 1216, 1000, t),
    ),
    (
        "tag",
        "data, each bit of the tag flipped",
        STRANGER,
        lambda t: bits(m := t.sealed(), len(m) - 16, len(m), 128, t),
    ),
    (
        "tag",
        "data, each bit of the counter flipped",
        STRANGER,
        lambda t: bits(t.sealed(), 8, 16, 64, t),
    ),
    (
        "tag",
        "data of 32 bytes with a random tag",
        STRANGER,
        lambda t: [t.sealed()[:16] + t.noise(16)],
    ),
    (
        "tag",
        "data with the tag cut short",
        STRANGER,
        lambda t: [t.sealed()[:-n] for n in range(1, 17)],
    ),
    (
        "tag",
        "data under keys of a session that is gone",
        STRANGER,
        lambda t: [t.peer.data(t.old_keys, t.link.datagram(b"old", 9))],
    ),
    (
        "tag",
        "data sealed with the key of the other direction",
        STRANGER,
        lambda t: [
            Noise.data(
                Keypair(t.keys.recv, t.keys.send, 0, t.keys.remote, True), b"x", counter=9**5
            )
        ],
    ),
    (
        "replay",
        "the last 50 messages of the peer replayed",
        STRANGER,
        lambda t: list(t.peer.said)[-50:],
    ),
    (
        "counter",
        "forged counters 2^40, limit, 2^64-1: the window must stay",
        STRANGER,
        lambda t: [
            flip(t.sealed(counter=n), 300) for n in (2**40, LIMIT - 1, LIMIT, 2**64 - 1)
        ],
    ),
    (
        "counter",
        "valid data with counters from the limit to 2^64-1",
        STRANGER,
        lambda t: [t.sealed(counter=n) for n in (LIMIT, LIMIT + 1, 2**64 - 2, 2**64 - 1)],
    ),
    (
        "keepalives",
        "2,000 valid keepalives",
        PEER,
        lambda t: [t.sealed(inner=b"") for _ in range(2000)],
    ),
    (
        "no-packet",
        "data of 1 to 17 bytes, not padded, no IP",
        PEER,
        lambda t: [t.sealed(inner=t.noise(n), pad=False) for n in range(1, 18)],
    ),
    (
        "no-packet",
        "1 to 19 bytes of an IPv4 packet, 1 to 39 of an IPv6 packet",
        PEER,
        lambda t: [
            t.sealed(inner=t.link.datagram(b"", 9, f)[:n], pad=False)
            for f, m in ((4, 20), (6, 40))
            for n in range(1, m)
        ],
    ),
    ("no-packet", "1,400 zero bytes", PEER, lambda t: [t.sealed(inner=bytes(1400))]),
    (
        "version",
        "inner version 0, 5, 7, 15, and the families exchanged",
        PEER,
        lambda t: [inner4(t, version=n) for n in (0, 5, 6, 7, 15)]
        + [inner6(t, version=n) for n in (0, 4, 5, 15)],
    ),
    (
        "inner-length",
        "inner IPv4, total length 0 and 19",
        PEER,
        lambda t: [inner4(t, length=n) for n in (0, 1, 19)],
    ),
    (
        "inner-length",
        "inner IPv4, total length beyond the data",
        PEER,
        lambda t: [inner4(t, length=n) for n in (49, 1500, 65535)],
    ),
    (
        "inner-length",
        "inner IPv6, payload length beyond the data",
        PEER,
        lambda t: [inner6(t, length=n) for n in (25, 1500, 65535)],
    ),
    (
        "inner-source",
        "inner IPv4 source outside AllowedIPs",
        PEER,
        lambda t: inner_from(t, "10.99.0.1", t.link.inner[4][1][:-1] + "3", "8.8.8.8"),
    ),
    (
        "inner-source",
        "inner IPv6 source outside AllowedIPs",
        PEER,
        lambda t: inner_from(t, t.link.inner[6][1][:-1] + "3", "2001:db8::1", "fe80::1"),
    ),
    (
        "inner-source",
        "inner source loopback, zero, broadcast, multicast",
        PEER,
        lambda t: inner_from(
            t, "127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::1", "::", "ff02::1"
        ),
    ),
    (
        "inner-source",
        "inner source is the daemon's own address",
        PEER,
        lambda t: inner_from(t, t.link.inner[4][0], t.link.inner[6][0]),
    ),
    (
        "inner-source",
        "inner IPv6 source is the allowed IPv4 address, mapped",
        PEER,
        lambda t: inner_from(t, "::ffff:" + t.link.inner[4][1], "::" + t.link.inner[4][1]),
    ),
    (
        "source",
        "outer source port 0",
        RAW,
        lambda t: [outer_udp(t, os.environ[f"RIG_THIRD{t.link.family}"], 0, junk(t, 1, 148))],
    ),
    (
        "source",
        "outer source broadcast, multicast, loopback, zero",
        RAW,
        lambda t: odd_sources(
            t,
            "255.255.255.255",
            "192.0.2.255",
            "224.0.0.1",
            "127.0.0.1",
            "0.0.0.0",
            "::1",
            "ff02::1",
            "::",
            "::ffff:192.0.2.9",
        ),
    ),
    (
        "source",
        "outer source is the daemon's own address and port",
        RAW,
        lambda t: [
            outer_udp(t, t.link.peer.remote[0], t.link.peer.remote[1], p)
            for p in (junk(t, 1, 148), b"junk", t.initiation)
        ],
    ),
    (
        "checksum",
        "a valid message with a wrong UDP checksum",
        RAW,
        lambda t: [outer_udp(t, *t.link.peer.sock.getsockname()[:2], t.sealed(), check=0x1234)],
    ),
    (
        "icmp",
        "ICMP: port, host, protocol unreachable about the link",
        RAW,
        lambda t: [
            p
            for c in (0, 1, 2, 3, 4)
            for p in icmp_error(t, 3 if t.link.family == 4 else 1, c if c != 4 else 3, 0)
        ],
    ),
    (
        "icmp-mtu",
        "ICMP: packet too big about the link, MTU 68",
        RAW,
        lambda t: icmp_error(t, 3, 4, 68) if t.link.family == 4 else icmp_error(t, 2, 0, 68),
    ),
    # The last one, since the daemon's kernel reports the lost fragments after 30 s.
    ("fragment", "first fragment without the rest", RAW, fragment),
]
