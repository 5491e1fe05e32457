"""The hostile datagrams: a table of what is sent, in the order of the message types.

A row is (kind of trouble, text, ways, maker).  The maker gets the Target and gives UDP payloads, or whole IP
packets where the trouble is in the outer header.  The ways say from where a payload is sent: "third" is a
stranger's address, "spoofed" the stranger using the peer's address and port, "peer" the peer itself, for messages
that carry valid keys: those may come only from the peer, since a valid message makes the daemon follow its sender.
"""

import os
import random
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import innerpkt
from wgpeer import (COOKIE, DATA, INITIATION, LOW_ORDER, RESPONSE, SIZES, ZERO16, ZERO32, Handshake, Keypair, Noise,
                    blake2s, flip, head, high_bit, mac, new_private, public_of, tai64n)
from wgrig import Link

STRANGER = ("third", "spoofed")
PEER = ("peer",)
RAW = ("raw",)
LIMIT = 2 ** 64 - 2 ** 13 - 1
LOW_POINTS = [*LOW_ORDER.values(), *map(high_bit, LOW_ORDER.values())]


@dataclass
class Target:
    """What an attacker, or a peer gone mad, knows about the link."""

    link: Link
    keys: Keypair
    old_keys: Keypair
    random: random.Random
    initiation: bytes
    accepted: Handshake
    pending: Handshake | None = None

    @property
    def peer(self) -> Noise:
        """The peer's keys, for messages that only it can make."""
        return self.link.peer

    def stranger(self) -> Noise:
        """Somebody with keys of his own who knows the daemon's public key."""
        return Noise(new_private(), self.peer.their_public)

    def noise(self, size: int) -> bytes:
        """Random bytes from the run's seed."""
        return self.random.randbytes(size)

    def sealed(self, counter: int | None = None, inner: bytes | None = None, **fields: int | bool) -> bytes:
        """A data message of the current session; by default with a good packet inside."""
        if inner is None:
            inner = self.link.datagram(b"x" * 100, 9)
        return self.peer.data(self.keys, inner, counter=counter, **fields)


def with_macs(target: Target, body: bytes) -> bytes:
    """Any body with a right mac1: what a stranger can make who knows the public key."""
    return target.peer.macs(body, cookie=ZERO16)


def junk(target: Target, kind: int, size: int) -> bytes:
    """A message of that type and size with nothing true in it but mac1 where the size has room."""
    if size < 36:
        return head(kind, 0)[:size] + target.noise(max(0, size - 4))
    return with_macs(target, head(kind, 0) + target.noise(size - 36))


def inner4(target: Target, **fields: int) -> bytes:
    """An inner UDP packet over IPv4 with wrong header fields."""
    return target.sealed(inner=target.link.datagram(b"hostile inner", 9, **fields))


def inner6(target: Target, **fields: int) -> bytes:
    """An inner UDP packet over IPv6 with wrong header fields."""
    return target.sealed(inner=target.link.datagram(b"hostile inner", 9, 6, **fields))


def inner_from(target: Target, *sources: str) -> list[bytes]:
    """Inner packets that claim other senders."""
    return [target.sealed(inner=innerpkt.udp(source, target.link.inner[6 if ":" in source else 4][0], 9, 9,
                                             b"hostile inner")) for source in sources]


def protocols(_: Target) -> list[bytes]:
    """First datagrams of other protocols, as scanners send them."""
    return [b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x00\x50\x01", b"OPTIONS sip:x SIP/2.0\r\n", b"\x38" + bytes(13),
            bytes.fromhex("0001010000010000000000000377777700000100 01"), b"\x17\x00\x03\x2a" + bytes(4), b"\r\n",
            bytes.fromhex("c300000001088394c8f03e5157080000449e00000002"), b"\0" * 1400, b"\xff" * 1400,
            b"SSH-2.0-x\r\n", bytes.fromhex("000100002112a442") + bytes(12), b"d1:ad2:id20:", b"M-SEARCH * HTTP/1.1\r\n"]


def every_length(target: Target) -> Iterable[bytes]:
    """All lengths from 0 to 200 with all types."""
    for kind in (*range(1, 5), 0, *range(5, 256)):
        for size in range(201):
            if SIZES.get(kind) != size:
                yield (head(kind, 0) + bytes(size))[:size] if kind > 4 else junk(target, kind, size)[:size]


def bits(message: bytes, first: int, last: int, count: int, target: Target) -> list[bytes]:
    """The message with single bits flipped between two byte offsets."""
    span = range(first * 8, last * 8)
    return [flip(message, bit) for bit in (span if count >= len(span) else target.random.sample(span, count))]


def peer_initiation(target: Target, **fields: object) -> bytes:
    """An initiation by the true peer, with one thing wrong."""
    return target.peer.initiation(**fields)[0]


def stamp_at(target: Target, delta: int) -> bytes:
    """The stamp of the last accepted initiation, moved by some nanoseconds."""
    seconds, nanoseconds = struct.unpack(">QI", target.accepted.timestamp)
    total = (seconds - 2 ** 62 - 10) * 10 ** 9 + nanoseconds + delta
    return tai64n(*divmod(total, 10 ** 9))


def forged_response(target: Target, **fields: object) -> bytes:
    """A response to the peer's own index, as if the daemon had asked; `receiver` can be another."""
    blank = Handshake(blake2s(b"x"), blake2s(b"y"), remote=target.keys.remote, their_static=target.peer.their_public,
                      their_ephemeral=target.peer.their_public)
    return target.peer.response(blank, **fields)[0]


def cookie_to(target: Target, receiver: int, **fields: object) -> bytes:
    """A cookie reply with the peer's true cookie key."""
    return target.peer.cookie_reply(receiver, target.noise(16), target.noise(16), **fields)


def outer_udp(target: Target, source: str, sport: int, payload: bytes, **fields: int) -> bytes:
    """A whole outer packet to the daemon's port."""
    dut, port = target.link.peer.remote[:2]
    return innerpkt.ip(source, dut, innerpkt.UDP, innerpkt.udp_segment(source, dut, sport, port, payload, **fields))


def odd_sources(target: Target, *sources: str) -> list[bytes]:
    """A junk initiation, a junk datagram and a flipped data message from impossible senders."""
    six = target.link.family == 6
    chosen = [s for s in sources if (":" in s) == six]
    payloads = (junk(target, INITIATION, 148), b"junk", flip(target.sealed(), 300))
    return [outer_udp(target, source, 5000, payload) for source in chosen for payload in payloads]


def fragment(target: Target) -> list[bytes]:
    """The first fragment of a datagram whose rest never comes."""
    dut, port = target.link.peer.remote[:2]
    source = os.environ[f"RIG_THIRD{target.link.family}"]
    whole = innerpkt.udp_segment(source, dut, 5000, port, junk(target, INITIATION, 148))[:80]
    if target.link.family == 4:
        return [innerpkt.ipv4(source, dut, innerpkt.UDP, whole, ident=77, fragment=0x2000)]
    return [innerpkt.ipv6(source, dut, 44, struct.pack(">BBHI", innerpkt.UDP, 0, 1, 77) + whole)]


def icmp_error(target: Target, kind: int, code: int, word: int) -> list[bytes]:
    """An ICMP error about the daemon's own packets, from a stranger (RFC 5927 tells what these can do)."""
    dut, port = target.link.peer.remote[:2]
    host, sport = target.link.peer.sock.getsockname()[:2]
    quoted = innerpkt.udp(dut, host, port, sport, bytes(64))
    source = os.environ[f"RIG_THIRD{target.link.family}"]
    body = struct.pack(">BBHI", kind, code, 0, word) + quoted
    if target.link.family == 4:
        return [innerpkt.ipv4(source, dut, innerpkt.ICMP, body[:2] + struct.pack(">H", innerpkt.checksum(body))
                              + body[4:])]
    cover = innerpkt.packed(source) + innerpkt.packed(dut) + struct.pack(">II", len(body), innerpkt.ICMP6) + body
    return [innerpkt.ipv6(source, dut, innerpkt.ICMP6, body[:2] + struct.pack(">H", innerpkt.checksum(cover))
                          + body[4:])]


Row = tuple[str, str, tuple[str, ...], Callable[[Target], Iterable[bytes]]]

ROWS: list[Row] = [
    ("F1", "empty datagram", STRANGER, lambda t: [b""] * 3),
    ("F2", "1 to 5 bytes of each type", STRANGER,
     lambda t: [(head(k, 0) + b"\0")[:n] for k in range(6) for n in range(1, 6)]),
    ("F2", "first datagrams of 14 other protocols", STRANGER, protocols),
    ("F3", "each length 0 to 200 for each type 0 to 255", ("third",), every_length),
    ("F3", "initiation of 147 and 149 bytes", STRANGER, lambda t: [junk(t, 1, n) for n in (147, 149)]),
    ("F3", "response of 91 and 93 bytes", STRANGER, lambda t: [junk(t, 2, n) for n in (91, 93)]),
    ("F3", "genuine initiation with a byte more, with a byte less", STRANGER,
     lambda t: [t.initiation + b"\0", t.initiation[:-1]]),
    ("F3", "data of 0 to 31 bytes to the known index", STRANGER, lambda t: [t.sealed()[:n] for n in range(32)]),
    ("F3", "65,000 bytes of types 1 to 5", STRANGER, lambda t: [junk(t, k, 65000) for k in range(1, 6)]),
    ("F6", "initiation of the peer with each reserved byte set", STRANGER,
     lambda t: [peer_initiation(t, reserved=1 << n) for n in range(0, 24, 5)]),
    ("F6", "response with each reserved byte set", STRANGER,
     lambda t: [forged_response(t, reserved=1 << n) for n in range(0, 24, 5)]),
    ("F6", "cookie reply with each reserved byte set", STRANGER,
     lambda t: [cookie_to(t, t.keys.remote, reserved=1 << n) for n in range(0, 24, 5)]),
    ("F6", "valid data with each reserved byte set", STRANGER,
     lambda t: [t.sealed(reserved=1 << n) for n in range(24)]),
    ("F7", "types 0, 5, 255, 256 and 2^24 in all sizes of messages", STRANGER,
     lambda t: [head(k & 255, k >> 8) + t.noise(n - 4) for k in (0, 5, 255, 256, 2 ** 24) for n in (32, 64, 92, 148)]),
    ("F7", "2,000 datagrams of noise", STRANGER, lambda t: [t.noise(t.random.randrange(1400)) for _ in range(2000)]),
    ("F7", "valid data under the types 0 and 5", STRANGER, lambda t: [t.sealed(kind=k) for k in (0, 5)]),
    ("F8", "initiation, mac1 wrong by each single bit", STRANGER,
     lambda t: bits(peer_initiation(t), 116, 132, 128, t)),
    ("F8", "initiation, one bit before mac1 wrong, 200 times", STRANGER,
     lambda t: bits(peer_initiation(t), 4, 116, 200, t)),
    ("F8", "initiation, mac1 zero", STRANGER, lambda t: [peer_initiation(t, mac1=ZERO16)]),
    ("F8", "initiation, mac1 made for the peer's key", STRANGER,
     lambda t: [(m := peer_initiation(t))[:116] + mac(blake2s(b"mac1----", t.peer.public), m[:116]) + ZERO16]),
    ("F9", "initiation, right mac1, noise inside", STRANGER, lambda t: [junk(t, INITIATION, 148) for _ in range(5)]),
    ("F9", "initiation, static key undecryptable by one bit", STRANGER,
     lambda t: [peer_initiation(t, spoil_static=True)]),
    ("F9", "initiation for another responder, mac1 repaired", STRANGER,
     lambda t: [with_macs(t, Noise(t.peer.private, public_of(new_private())).initiation()[0][:116])]),
    ("F10", "initiation from an unknown static key", STRANGER, lambda t: [t.stranger().initiation()[0]]),
    ("F10", "initiation from the daemon's own static key", STRANGER,
     lambda t: [peer_initiation(t, static=t.link.private)]),
    ("F10", "initiation with the peer's public key, sealed by a stranger", STRANGER,
     lambda t: [t.stranger().initiation(static_point=t.peer.public)[0]]),
    ("F10", "initiation with static keys of small order", STRANGER,
     lambda t: [t.stranger().initiation(static_point=point)[0] for point in LOW_POINTS]),
    ("F11", "initiation, timestamp undecryptable by one bit", STRANGER,
     lambda t: [peer_initiation(t, spoil_timestamp=True)]),
    ("F13", "genuine initiation replayed five times", STRANGER, lambda t: [t.initiation] * 5),
    ("F13", "genuine initiation replayed with another index, mac1 repaired", STRANGER,
     lambda t: [with_macs(t, t.initiation[:4] + t.noise(4) + t.initiation[8:116])]),
    ("F14", "new initiation, timestamp equal to the last", STRANGER,
     lambda t: [peer_initiation(t, timestamp=stamp_at(t, 0))]),
    ("F14", "new initiation, timestamp 1 ns older", STRANGER,
     lambda t: [peer_initiation(t, timestamp=stamp_at(t, -1))]),
    ("F14", "new initiation, timestamp an hour older", STRANGER,
     lambda t: [peer_initiation(t, timestamp=stamp_at(t, -3600 * 10 ** 9))]),
    ("F14", "new initiation, timestamps zero and of 1970", STRANGER,
     lambda t: [peer_initiation(t, timestamp=stamp) for stamp in (bytes(12), tai64n(0, 0))]),
    *(("F16", f"initiation by the peer, ephemeral {name}{bit}", STRANGER,
       lambda t, p=point: [peer_initiation(t, ephemeral_point=p)])
      for text, points in (("", LOW_ORDER.items()),
                           (", high bit set", [(n, high_bit(p)) for n, p in LOW_ORDER.items()]))
      for bit in [text] for name, point in points),
    ("F18", "unsolicited response to an unknown index", STRANGER,
     lambda t: [forged_response(t, receiver=t.random.getrandbits(32)) for _ in range(5)]),
    ("F18", "unsolicited response to the index in use", STRANGER, lambda t: [forged_response(t)]),
    ("F18", "unsolicited responses to index 0 and 2^32-1", STRANGER,
     lambda t: [forged_response(t, receiver=n) for n in (0, 2 ** 32 - 1)]),
    ("F18", "unsolicited response with ephemerals of small order", STRANGER,
     lambda t: [forged_response(t, ephemeral_point=p) for p in LOW_POINTS]),
    ("F18", "response with mac1 wrong by one bit", STRANGER, lambda t: bits(forged_response(t), 60, 76, 20, t)),
    ("F18", "the daemon's own messages sent back to it", STRANGER, lambda t: [m for m, _ in zip(reversed(t.peer.heard), range(10))]),
    ("F20", "unsolicited cookie reply, unknown index", STRANGER, lambda t: [cookie_to(t, 0x12345678)]),
    ("F20", "unsolicited cookie reply, index in use", STRANGER, lambda t: [cookie_to(t, t.keys.remote)]),
    ("F20", "cookie reply with a stranger's key", STRANGER,
     lambda t: [cookie_to(t, t.keys.remote, key=blake2s(b"cookie--", t.stranger().public))]),
    ("F20", "cookie reply of 63 and 65 bytes", STRANGER,
     lambda t: [cookie_to(t, t.keys.remote)[:63], cookie_to(t, t.keys.remote) + b"\0"]),
    ("F23", "data to an unknown index", STRANGER,
     lambda t: [t.sealed(receiver=n) for n in (0, 1, 2 ** 32 - 1, t.keys.local, t.keys.remote ^ 1)]),
    ("F24", "data, 1,000 single bits flipped in the ciphertext", STRANGER,
     lambda t: bits(t.sealed(inner=bytes(1200)), 16, 1216, 1000, t)),
    ("F24", "data, each bit of the tag flipped", STRANGER, lambda t: bits(m := t.sealed(), len(m) - 16, len(m), 128, t)),
    ("F24", "data, each bit of the counter flipped", STRANGER, lambda t: bits(t.sealed(), 8, 16, 64, t)),
    ("F24", "data of 32 bytes with a random tag", STRANGER, lambda t: [t.sealed()[:16] + t.noise(16)]),
    ("F24", "data with the tag cut short", STRANGER, lambda t: [t.sealed()[:-n] for n in range(1, 17)]),
    ("F24", "data under keys of a session that is gone", STRANGER,
     lambda t: [t.peer.data(t.old_keys, t.link.datagram(b"old", 9))]),
    ("F24", "data sealed with the key of the other direction", STRANGER,
     lambda t: [Noise.data(Keypair(t.keys.recv, t.keys.send, 0, t.keys.remote, True), b"x", counter=9 ** 5)]),
    ("F25", "the last 50 messages of the peer replayed", STRANGER, lambda t: list(t.peer.said)[-50:]),
    ("F28", "forged counters 2^40, limit, 2^64-1: the window must stay", STRANGER,
     lambda t: [flip(t.sealed(counter=n), 300) for n in (2 ** 40, LIMIT - 1, LIMIT, 2 ** 64 - 1)]),
    ("F28", "valid data with counters from the limit to 2^64-1", STRANGER,
     lambda t: [t.sealed(counter=n) for n in (LIMIT, LIMIT + 1, 2 ** 64 - 2, 2 ** 64 - 1)]),
    ("F31", "2,000 valid keepalives", PEER, lambda t: [t.sealed(inner=b"") for _ in range(2000)]),
    ("F32", "data of 1 to 17 bytes, not padded, no IP", PEER,
     lambda t: [t.sealed(inner=t.noise(n), pad=False) for n in range(1, 18)]),
    ("F32", "1 to 19 bytes of an IPv4 packet, 1 to 39 of an IPv6 packet", PEER,
     lambda t: [t.sealed(inner=t.link.datagram(b"", 9, f)[:n], pad=False) for f, m in ((4, 20), (6, 40))
                for n in range(1, m)]),
    ("F32", "1,400 zero bytes", PEER, lambda t: [t.sealed(inner=bytes(1400))]),
    ("F33", "inner version 0, 5, 7, 15, and the families exchanged", PEER,
     lambda t: [inner4(t, version=n) for n in (0, 5, 6, 7, 15)] + [inner6(t, version=n) for n in (0, 4, 5, 15)]),
    ("F34", "inner IPv4, total length 0 and 19", PEER, lambda t: [inner4(t, length=n) for n in (0, 1, 19)]),
    ("F34", "inner IPv4, total length beyond the data", PEER,
     lambda t: [inner4(t, length=n) for n in (49, 1500, 65535)]),
    ("F34", "inner IPv6, payload length beyond the data", PEER,
     lambda t: [inner6(t, length=n) for n in (25, 1500, 65535)]),
    ("F37", "inner IPv4 source outside AllowedIPs", PEER,
     lambda t: inner_from(t, "10.99.0.1", t.link.inner[4][1][:-1] + "3", "8.8.8.8")),
    ("F37", "inner IPv6 source outside AllowedIPs", PEER,
     lambda t: inner_from(t, t.link.inner[6][1][:-1] + "3", "2001:db8::1", "fe80::1")),
    ("F37", "inner source loopback, zero, broadcast, multicast", PEER,
     lambda t: inner_from(t, "127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::1", "::", "ff02::1")),
    ("F37", "inner source is the daemon's own address", PEER,
     lambda t: inner_from(t, t.link.inner[4][0], t.link.inner[6][0])),
    ("F37", "inner IPv6 source is the allowed IPv4 address, mapped", PEER,
     lambda t: inner_from(t, "::ffff:" + t.link.inner[4][1], "::" + t.link.inner[4][1])),
    ("F41", "outer source port 0", RAW,
     lambda t: [outer_udp(t, os.environ[f"RIG_THIRD{t.link.family}"], 0, junk(t, 1, 148))]),
    ("F41", "outer source broadcast, multicast, loopback, zero", RAW,
     lambda t: odd_sources(t, "255.255.255.255", "192.0.2.255", "224.0.0.1", "127.0.0.1", "0.0.0.0", "::1", "ff02::1",
                           "::", "::ffff:192.0.2.9")),
    ("F41", "outer source is the daemon's own address and port", RAW,
     lambda t: [outer_udp(t, t.link.peer.remote[0], t.link.peer.remote[1], p)
                for p in (junk(t, 1, 148), b"junk", t.initiation)]),
    ("F43", "a valid message with a wrong UDP checksum", RAW,
     lambda t: [outer_udp(t, *t.link.peer.sock.getsockname()[:2], t.sealed(), check=0x1234)]),
    ("F78", "ICMP: port, host, protocol unreachable about the link", RAW,
     lambda t: [p for c in (0, 1, 2, 3, 4) for p in
                icmp_error(t, 3 if t.link.family == 4 else 1, c if c != 4 else 3, 0)]),
    ("F79", "ICMP: packet too big about the link, MTU 68", RAW,
     lambda t: icmp_error(t, 3, 4, 68) if t.link.family == 4 else icmp_error(t, 2, 0, 68)),
    # The last one, since the daemon's kernel reports the lost fragments after 30 s.
    ("F5", "first fragment without the rest", RAW, fragment),
]

# While the daemon waits for a response: (kind, text, maker); the answers are to its own initiation.
PENDING: list[tuple[str, str, Callable[[Target], Iterable[bytes]]]] = [
    ("F18", "response, ephemerals of small order, all else right",
     lambda t: [t.peer.response(t.pending, ephemeral_point=p)[0] for p in LOW_POINTS]),
    ("F18", "response with each reserved byte set", lambda t: [t.peer.response(t.pending, reserved=1 << n)[0]
                                                               for n in (0, 8, 16)]),
    ("F18", "response of 91 and 93 bytes",
     lambda t: [(m := t.peer.response(t.pending)[0])[:91], m + b"\0"]),
    ("F18", "response, each bit of mac1 flipped", lambda t: bits(t.peer.response(t.pending)[0], 60, 76, 128, t)),
    ("F18", "response, empty field undecryptable", lambda t: [t.peer.response(t.pending, spoil_empty=True)[0]]),
    ("F18", "response with another preshared key",
     lambda t: [t.peer.response(t.pending, psk=b"z" * 32)[0]]),
    ("F18", "response to another index",
     lambda t: [t.peer.response(t.pending, receiver=t.pending.remote ^ 1)[0]]),
    ("F18", "response by a stranger who saw the initiation",
     lambda t: [t.stranger().response(Handshake(ZERO32, t.pending.hash, remote=t.pending.remote,
                                                their_ephemeral=t.pending.their_ephemeral,
                                                their_static=t.pending.their_static))[0]]),
    ("F18", "response with the static key of a stranger (se wrong)",
     lambda t: [t.peer.response(Handshake(t.pending.chain, t.pending.hash, remote=t.pending.remote,
                                          their_ephemeral=t.pending.their_ephemeral,
                                          their_static=public_of(new_private())))[0]]),
    ("F20", "cookie reply with wrong AAD", lambda t: [cookie_to(t, t.pending.remote)]),
    ("F20", "cookie reply with a stranger's key",
     lambda t: [t.stranger().cookie_reply(t.pending.remote, t.pending.mac1, t.noise(16))]),
    ("F20", "cookie reply to another index",
     lambda t: [t.peer.cookie_reply(t.pending.remote ^ 1, t.pending.mac1, t.noise(16))]),
    ("F20", "cookie reply of 63 and 65 bytes",
     lambda t: [(m := t.peer.cookie_reply(t.pending.remote, t.pending.mac1, t.noise(16)))[:63], m + b"\0"]),
    ("F20", "cookie reply with each reserved byte set",
     lambda t: [t.peer.cookie_reply(t.pending.remote, t.pending.mac1, t.noise(16), reserved=1 << n)
                for n in (0, 8, 16)]),
    ("F20", "cookie reply with one bit wrong",
     lambda t: bits(t.peer.cookie_reply(t.pending.remote, t.pending.mac1, t.noise(16)), 8, 64, 100, t)),
]
