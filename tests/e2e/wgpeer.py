"""A WireGuard peer for tests, written from the protocol's description alone.

It shares no code with vpnd, so a mistake that both ends of a vpnd link would make together shows
here. Nothing in it is automatic: no timer runs, nothing is answered, nothing is sent unless the
test says so, and each field of each message can be chosen, also wrongly. `Noise` holds the long-
term keys and builds and opens messages; `Peer` adds a UDP socket. The sections named below are
those of the WireGuard paper (2020).
"""

import collections
import os
import select
import socket
import struct
import time
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag

from wgcrypto import (
    LOW_ORDER,
    Refused,
    TAI_OFFSET,
    ZERO16,
    ZERO32,
    aead_open,
    aead_seal,
    blake2s,
    dh,
    flip,
    kdf,
    mac,
    new_private,
    public_of,
    tai64n,
    xaead,
)

CONSTRUCTION = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
IDENTIFIER = b"WireGuard v1 zx2c4 Jason@zx2c4.com"
INITIATION, RESPONSE, COOKIE, DATA = 1, 2, 3, 4
SIZES = {INITIATION: 148, RESPONSE: 92, COOKIE: 64}


SO_TIMESTAMPNS = 35


@dataclass
class Keypair:
    """The keys of one session, seen from this peer.  `sent` is the next counter."""

    send: bytes
    recv: bytes
    local: int
    remote: int
    initiator: bool
    sent: int = 0
    born: float = field(default_factory=time.monotonic)

    def age(self) -> float:
        """Seconds since the keys were derived."""
        return time.monotonic() - self.born


@dataclass
class Handshake:
    """What a handshake has mixed so far, and what the other side told."""

    chain: bytes
    hash: bytes
    local: int = 0
    remote: int = 0
    ephemeral: bytes = b""
    their_ephemeral: bytes = b""
    their_static: bytes = b""
    timestamp: bytes = b""
    mac1: bytes = b""

    def mix_hash(self, data: bytes) -> None:
        """Noise's MixHash."""
        self.hash = blake2s(self.hash, data)

    def mix_key(self, data: bytes) -> bytes:
        """Noise's MixKey; gives the key for the next field."""
        self.chain, key = kdf(2, self.chain, data)
        return key


def head(kind: int, reserved: int) -> bytes:
    """The first word: the type and three reserved bytes."""
    return struct.pack("<I", kind | reserved << 8)


class Noise:
    """The long-term keys of this side and of the other, and every message that follows from
    them.
    """

    def __init__(self, private: bytes, their_public: bytes, psk: bytes = ZERO32) -> None:
        self.private = private
        self.public = public_of(private)
        self.their_public = their_public
        self.psk = psk
        self.cookie = ZERO16
        self.last_stamp = bytes(12)

    def stamp(self) -> bytes:
        """Now, but always greater than any stamp given before."""
        nanoseconds = time.time_ns()
        low = struct.unpack(">QI", self.last_stamp)
        floor = (low[0] - TAI_OFFSET) * 10**9 + low[1] + 1
        if 0 < floor < 2**62:
            nanoseconds = max(nanoseconds, floor)
        self.last_stamp = tai64n(*divmod(nanoseconds, 10**9))
        return self.last_stamp

    def _start(self, responder: bytes) -> Handshake:
        chain = blake2s(CONSTRUCTION)
        return Handshake(chain, blake2s(blake2s(chain, IDENTIFIER), responder))

    def macs(
        self,
        body: bytes,
        mac1: bytes | None = None,
        mac2: bytes | None = None,
        cookie: bytes | None = None,
    ) -> bytes:
        """A message with its two MACs; each can be replaced by given bytes (section 5.4.4)."""
        body += mac(blake2s(b"mac1----", self.their_public), body) if mac1 is None else mac1
        cookie = self.cookie if cookie is None else cookie
        if mac2 is None:
            mac2 = ZERO16 if cookie == ZERO16 else mac(cookie, body)
        return body + mac2

    def check_mac1(self, message: bytes) -> None:
        """Raises Refused unless mac1 is the one for our key."""
        if mac(blake2s(b"mac1----", self.public), message[:-32]) != message[-32:-16]:
            raise Refused("mac1 is wrong")

    def initiation(
        self,
        *,
        index: int | None = None,
        ephemeral: bytes | None = None,
        ephemeral_point: bytes | None = None,
        static: bytes | None = None,
        static_point: bytes | None = None,
        timestamp: bytes | None = None,
        spoil_static: bool = False,
        spoil_timestamp: bool = False,
        kind: int = INITIATION,
        reserved: int = 0,
        **macs: bytes | None,
    ) -> tuple[bytes, Handshake]:
        """Message 1 (section 5.4.2).

        `ephemeral_point` replaces the ephemeral key on the wire by a point of small order; every
        DH with it is then zero, which is what a responder without the check would compute too.
        `spoil_…` flips one bit of the sealed field and leaves mac1 right.
        """
        hs = self._start(self.their_public)
        hs.local = int.from_bytes(os.urandom(4), "little") if index is None else index
        hs.ephemeral = ephemeral or new_private()
        static = static or self.private
        point = ephemeral_point or public_of(hs.ephemeral)
        low = point[:31] + bytes([point[31] & 0x7F]) in LOW_ORDER.values()
        hs.chain = kdf(1, hs.chain, point)[0]
        hs.mix_hash(point)
        key = hs.mix_key(ZERO32 if low else dh(hs.ephemeral, self.their_public))
        sealed_static = aead_seal(key, 0, static_point or public_of(static), hs.hash)
        if spoil_static:
            sealed_static = flip(sealed_static, 8)
        hs.mix_hash(sealed_static)
        key = hs.mix_key(ZERO32 if static_point else dh(static, self.their_public))
        hs.timestamp = timestamp or self.stamp()
        sealed_stamp = aead_seal(key, 0, hs.timestamp, hs.hash)
        if spoil_timestamp:
            sealed_stamp = flip(sealed_stamp, 8)
        hs.mix_hash(sealed_stamp)
        message = self.macs(
            head(kind, reserved)
            + struct.pack("<I", hs.local)
            + point
            + sealed_static
            + sealed_stamp,
            **macs,
        )
        hs.mac1 = message[-32:-16]
        return message, hs

    def read_initiation(self, message: bytes) -> Handshake:
        """Checks and opens message 1 that was meant for us."""
        if len(message) != 148 or message[:4] != head(INITIATION, 0):
            raise Refused("not an initiation")
        self.check_mac1(message)
        hs = self._start(self.public)
        (hs.remote,) = struct.unpack_from("<I", message, 4)
        hs.their_ephemeral = message[8:40]
        hs.chain = kdf(1, hs.chain, hs.their_ephemeral)[0]
        hs.mix_hash(hs.their_ephemeral)
        key = hs.mix_key(dh(self.private, hs.their_ephemeral))
        hs.their_static = aead_open(key, 0, message[40:88], hs.hash, "static")
        hs.mix_hash(message[40:88])
        key = hs.mix_key(dh(self.private, hs.their_static))
        hs.timestamp = aead_open(key, 0, message[88:116], hs.hash, "timestamp")
        hs.mix_hash(message[88:116])
        hs.mac1 = message[-32:-16]
        return hs

    def response(
        self,
        got: Handshake,
        *,
        index: int | None = None,
        ephemeral: bytes | None = None,
        ephemeral_point: bytes | None = None,
        psk: bytes | None = None,
        receiver: int | None = None,
        spoil_empty: bool = False,
        kind: int = RESPONSE,
        reserved: int = 0,
        **macs: bytes | None,
    ) -> tuple[bytes, Keypair]:
        """Message 2 (section 5.4.3) for an initiation that read_initiation accepted; `got` stays
        as it is.
        """
        hs = Handshake(got.chain, got.hash)
        hs.local = int.from_bytes(os.urandom(4), "little") if index is None else index
        hs.ephemeral = ephemeral or new_private()
        point = ephemeral_point or public_of(hs.ephemeral)
        low = point[:31] + bytes([point[31] & 0x7F]) in LOW_ORDER.values()
        hs.chain = kdf(1, hs.chain, point)[0]
        hs.mix_hash(point)
        hs.mix_key(ZERO32 if low else dh(hs.ephemeral, got.their_ephemeral))
        hs.mix_key(ZERO32 if low else dh(hs.ephemeral, got.their_static))
        hs.chain, tau, key = kdf(3, hs.chain, self.psk if psk is None else psk)
        hs.mix_hash(tau)
        empty = aead_seal(key, 0, b"", hs.hash)
        if spoil_empty:
            empty = flip(empty, 8)
        to = got.remote if receiver is None else receiver
        message = self.macs(
            head(kind, reserved) + struct.pack("<II", hs.local, to) + point + empty, **macs
        )
        recv, send = kdf(2, hs.chain, b"")
        return message, Keypair(send, recv, hs.local, got.remote, initiator=False)

    def read_response(self, hs: Handshake, message: bytes) -> Keypair:
        """Checks message 2 against our initiation and derives the session."""
        if len(message) != 92 or message[:4] != head(RESPONSE, 0):
            raise Refused("not a response")
        self.check_mac1(message)
        theirs, ours = struct.unpack_from("<II", message, 4)
        if ours != hs.local:
            raise Refused("response to another index")
        point = message[12:44]
        hs = Handshake(hs.chain, hs.hash, hs.local, theirs, hs.ephemeral)
        hs.chain = kdf(1, hs.chain, point)[0]
        hs.mix_hash(point)
        hs.mix_key(dh(hs.ephemeral, point))
        hs.mix_key(dh(self.private, point))
        hs.chain, tau, key = kdf(3, hs.chain, self.psk)
        hs.mix_hash(tau)
        aead_open(key, 0, message[44:60], hs.hash, "empty")
        send, recv = kdf(2, hs.chain, b"")
        return Keypair(send, recv, hs.local, theirs, initiator=True)

    def cookie_reply(
        self,
        receiver: int,
        mac1: bytes,
        cookie: bytes,
        *,
        nonce: bytes | None = None,
        key: bytes | None = None,
        reserved: int = 0,
    ) -> bytes:
        """A cookie reply as the owner of our key would send it (section 5.4.7)."""
        nonce = nonce or os.urandom(24)
        cipher, inner = xaead(key or blake2s(b"cookie--", self.public), nonce)
        return (
            head(COOKIE, reserved)
            + struct.pack("<I", receiver)
            + nonce
            + cipher.encrypt(inner, cookie, mac1)
        )

    def read_cookie_reply(self, message: bytes, hs: Handshake) -> bytes:
        """The cookie inside of a reply to our message `hs`."""
        if len(message) != 64 or message[:4] != head(COOKIE, 0):
            raise Refused("not a cookie reply")
        if struct.unpack_from("<I", message, 4)[0] != hs.local:
            raise Refused("cookie for another index")
        cipher, inner = xaead(blake2s(b"cookie--", self.their_public), message[8:32])
        try:
            return cipher.decrypt(inner, message[32:], hs.mac1)
        except InvalidTag:
            raise Refused("cookie: wrong tag") from None

    @staticmethod
    def data(
        keys: Keypair,
        inner: bytes = b"",
        *,
        counter: int | None = None,
        pad: bool = True,
        receiver: int | None = None,
        reserved: int = 0,
        kind: int = DATA,
    ) -> bytes:
        """A transport message (section 5.4.6); an empty `inner` is a keepalive.

        A chosen `counter` does not move the keypair's own.
        """
        if counter is None:
            counter, keys.sent = keys.sent, keys.sent + 1
        if pad:
            inner += bytes(-len(inner) % 16)
        to = keys.remote if receiver is None else receiver
        return (
            head(kind, reserved)
            + struct.pack("<IQ", to, counter)
            + aead_seal(keys.send, counter, inner, b"")
        )

    @staticmethod
    def read_data(keys: Keypair, message: bytes) -> tuple[int, bytes]:
        """Counter and plaintext (with its padding) of a transport message for this session."""
        if len(message) < 32 or message[:4] != head(DATA, 0):
            raise Refused("not a data message")
        index, counter = struct.unpack_from("<IQ", message, 4)
        if index != keys.local:
            raise Refused("data for another index")
        return counter, aead_open(keys.recv, counter, message[16:], b"", "data")


@dataclass
class Packet:
    """One received datagram."""

    data: bytes
    source: tuple
    tos: int
    when: float

    @property
    def kind(self) -> int:
        """The message type, or 0 when there is none."""
        return struct.unpack_from("<I", self.data)[0] if len(self.data) >= 4 else 0

    @property
    def receiver(self) -> int:
        """The index that a data message or cookie reply is for."""
        return struct.unpack_from("<I", self.data, 4)[0]

    @property
    def counter(self) -> int:
        """The counter of a data message."""
        return struct.unpack_from("<Q", self.data, 8)[0]


class Peer(Noise):
    """A Noise party with a socket and the address of the daemon under test."""

    def __init__(
        self,
        sock: socket.socket,
        remote: tuple,
        private: bytes,
        their_public: bytes,
        psk: bytes = ZERO32,
    ) -> None:
        super().__init__(private, their_public, psk)
        self.sock = sock
        self.remote = remote
        self.said: collections.deque[bytes] = collections.deque(maxlen=200)
        self.heard: collections.deque[bytes] = collections.deque(maxlen=200)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)

    def send(
        self, message: bytes, *, tos: int | None = None, sock: socket.socket | None = None
    ) -> None:
        """Sends bytes to the daemon, from the own or from another socket, with the given TOS
        byte.
        """
        if sock is None:
            self.said.append(message)
        sock = sock or self.sock
        control = []
        if tos is not None:
            level, name = (
                (socket.IPPROTO_IP, socket.IP_TOS)
                if sock.family == socket.AF_INET
                else (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)
            )
            control = [(level, name, struct.pack("i", tos))]
        sock.sendmsg([message], control, 0, self.remote)

    def recv(self, timeout: float, sock: socket.socket | None = None) -> Packet | None:
        """The next datagram, or None when nothing comes in time."""
        sock = sock or self.sock
        if not select.select([sock], [], [], max(0.0, timeout))[0]:
            return None
        data, control, _, source = sock.recvmsg(65536, 256)
        tos = next(
            (
                value[0]
                for level, name, value in control
                if (level, name)
                in ((socket.IPPROTO_IP, socket.IP_TOS), (socket.IPPROTO_IPV6, socket.IPV6_TCLASS))
            ),
            0,
        )
        if sock is self.sock:
            self.heard.append(data)
        # The kernel's time of arrival: this process may have been waiting for a CPU.
        late = next(
            (
                time.time()
                - int.from_bytes(value[:8], "little")
                - int.from_bytes(value[8:], "little") / 1e9
                for level, name, value in control
                if (level, name) == (socket.SOL_SOCKET, SO_TIMESTAMPNS)
            ),
            0.0,
        )
        return Packet(data, source, tos, time.monotonic() - late)

    def expect(
        self, kind: int | None, timeout: float, sock: socket.socket | None = None
    ) -> Packet | None:
        """The next datagram of one type; those of other types are dropped."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            packet = self.recv(left, sock)
            if packet and kind in (None, packet.kind):
                return packet
        return None

    def drain(self, seconds: float = 0.0) -> list[Packet]:
        """All datagrams that are there, or that come within the time."""
        out, end = [], time.monotonic() + seconds
        while (packet := self.recv(end - time.monotonic())) is not None:
            out.append(packet)
        return out

    def connect(self, timeout: float = 1.0, *, confirm: bool = True, **fields: object) -> Keypair:
        """A handshake as initiator; with `confirm` also the first keepalive, so the daemon may
        send.
        """
        message, hs = self.initiation(**fields)
        self.send(message)
        end = time.monotonic() + timeout
        # One to an initiation before may come late.
        while packet := self.expect(RESPONSE, end - time.monotonic()):
            if struct.unpack_from("<I", packet.data, 8)[0] == hs.local:
                break
        if packet is None:
            raise Refused("no response to the initiation")
        keys = self.read_response(hs, packet.data)
        if confirm:
            self.send(self.data(keys))
        return keys

    def accept(self, timeout: float, **fields: object) -> Keypair:
        """Waits for the daemon's initiation and answers it."""
        packet = self.expect(INITIATION, timeout)
        if packet is None:
            raise Refused("the daemon sent no initiation")
        message, keys = self.response(self.read_initiation(packet.data), **fields)
        self.send(message)
        return keys
