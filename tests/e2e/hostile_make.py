"""What the hostile rows are made with: what an attacker knows, and the forging of messages."""

import os
import random
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import innerpkt
from wgcrypto import LOW_ORDER, ZERO16, blake2s, flip, high_bit, new_private, tai64n
from wgpeer import Handshake, INITIATION, Keypair, Noise, SIZES, head
from wgrig import Link

STRANGER = ("third", "spoofed")
PEER = ("peer",)
RAW = ("raw",)
LIMIT = 2**64 - 2**13 - 1
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

    def sealed(
        self, counter: int | None = None, inner: bytes | None = None, **fields: int | bool
    ) -> bytes:
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
    return [
        target.sealed(
            inner=innerpkt.udp(
                source, target.link.inner[6 if ":" in source else 4][0], 9, 9, b"hostile inner"
            )
        )
        for source in sources
    ]


def protocols(_: Target) -> list[bytes]:
    """First datagrams of other protocols, as scanners send them."""
    return [
        b"GET / HTTP/1.0\r\n\r\n",
        b"\x16\x03\x01\x00\x50\x01",
        b"OPTIONS sip:x SIP/2.0\r\n",
        b"\x38" + bytes(13),
        bytes.fromhex("0001010000010000000000000377777700000100 01"),
        b"\x17\x00\x03\x2a" + bytes(4),
        b"\r\n",
        bytes.fromhex("c300000001088394c8f03e5157080000449e00000002"),
        b"\0" * 1400,
        b"\xff" * 1400,
        b"SSH-2.0-x\r\n",
        bytes.fromhex("000100002112a442") + bytes(12),
        b"d1:ad2:id20:",
        b"M-SEARCH * HTTP/1.1\r\n",
    ]


def every_length(target: Target) -> Iterable[bytes]:
    """All lengths from 0 to 200 with all types."""
    for kind in (*range(1, 5), 0, *range(5, 256)):
        for size in range(201):
            if SIZES.get(kind) != size:
                yield (head(kind, 0) + bytes(size))[:size] if kind > 4 else junk(
                    target, kind, size
                )[:size]


def bits(message: bytes, first: int, last: int, count: int, target: Target) -> list[bytes]:
    """The message with single bits flipped between two byte offsets."""
    span = range(first * 8, last * 8)
    return [
        flip(message, bit)
        for bit in (span if count >= len(span) else target.random.sample(span, count))
    ]


def peer_initiation(target: Target, **fields: object) -> bytes:
    """An initiation by the true peer, with one thing wrong."""
    return target.peer.initiation(**fields)[0]


def stamp_at(target: Target, delta: int) -> bytes:
    """The stamp of the last accepted initiation, moved by some nanoseconds."""
    seconds, nanoseconds = struct.unpack(">QI", target.accepted.timestamp)
    total = (seconds - 2**62 - 10) * 10**9 + nanoseconds + delta
    return tai64n(*divmod(total, 10**9))


def forged_response(target: Target, **fields: object) -> bytes:
    """A response to the index in use, as if the daemon had asked; or to another `receiver`."""
    blank = Handshake(
        blake2s(b"x"),
        blake2s(b"y"),
        remote=target.keys.remote,
        their_static=target.peer.their_public,
        their_ephemeral=target.peer.their_public,
    )
    return target.peer.response(blank, **fields)[0]


def cookie_to(target: Target, receiver: int, **fields: object) -> bytes:
    """A cookie reply with the peer's true cookie key."""
    return target.peer.cookie_reply(receiver, target.noise(16), target.noise(16), **fields)


def outer_udp(target: Target, source: str, sport: int, payload: bytes, **fields: int) -> bytes:
    """A whole outer packet to the daemon's port."""
    dut, port = target.link.peer.remote[:2]
    return innerpkt.ip(
        source,
        dut,
        innerpkt.UDP,
        innerpkt.udp_segment(source, dut, sport, port, payload, **fields),
    )


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
    """An ICMP error about the daemon's own packets, from a stranger (RFC 5927 tells what these
    can do).
    """
    dut, port = target.link.peer.remote[:2]
    host, sport = target.link.peer.sock.getsockname()[:2]
    quoted = innerpkt.udp(dut, host, port, sport, bytes(64))
    source = os.environ[f"RIG_THIRD{target.link.family}"]
    body = struct.pack(">BBHI", kind, code, 0, word) + quoted
    if target.link.family == 4:
        return [
            innerpkt.ipv4(
                source,
                dut,
                innerpkt.ICMP,
                body[:2] + struct.pack(">H", innerpkt.checksum(body)) + body[4:],
            )
        ]
    cover = (
        innerpkt.packed(source)
        + innerpkt.packed(dut)
        + struct.pack(">II", len(body), innerpkt.ICMP6)
        + body
    )
    return [
        innerpkt.ipv6(
            source,
            dut,
            innerpkt.ICMP6,
            body[:2] + struct.pack(">H", innerpkt.checksum(cover)) + body[4:],
        )
    ]


Row = tuple[str, str, tuple[str, ...], Callable[[Target], Iterable[bytes]]]
