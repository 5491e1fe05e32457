"""Hostile datagrams that are, or pretend to be, handshake messages and cookie replies."""

from collections.abc import Callable, Iterable

from hostile_make import (
    LOW_POINTS,
    Row,
    STRANGER,
    Target,
    bits,
    cookie_to,
    every_length,
    forged_response,
    junk,
    peer_initiation,
    protocols,
    stamp_at,
    with_macs,
)
from wgcrypto import (
    LOW_ORDER,
    ZERO16,
    ZERO32,
    blake2s,
    high_bit,
    mac,
    new_private,
    public_of,
    tai64n,
)
from wgpeer import Handshake, INITIATION, Noise, head

HANDSHAKE_ROWS: list[Row] = [
    ("empty", "empty datagram", STRANGER, lambda t: [b""] * 3),
    (
        "other-protocol",
        "1 to 5 bytes of each type",
        STRANGER,
        lambda t: [(head(k, 0) + b"\0")[:n] for k in range(6) for n in range(1, 6)],
    ),
    ("other-protocol", "first datagrams of 14 other protocols", STRANGER, protocols),
    ("length", "each length 0 to 200 for each type 0 to 255", ("third",), every_length),
    (
        "length",
        "initiation of 147 and 149 bytes",
        STRANGER,
        lambda t: [junk(t, 1, n) for n in (147, 149)],
    ),
    (
        "length",
        "response of 91 and 93 bytes",
        STRANGER,
        lambda t: [junk(t, 2, n) for n in (91, 93)],
    ),
    (
        "length",
        "genuine initiation with a byte more, with a byte less",
        STRANGER,
        lambda t: [t.initiation + b"\0", t.initiation[:-1]],
    ),
    (
        "length",
        "data of 0 to 31 bytes to the known index",
        STRANGER,
        lambda t: [t.sealed()[:n] for n in range(32)],
    ),
    (
        "length",
        "65,000 bytes of types 1 to 5",
        STRANGER,
        lambda t: [junk(t, k, 65000) for k in range(1, 6)],
    ),
    (
        "reserved",
        "initiation of the peer with each reserved byte set",
        STRANGER,
        lambda t: [peer_initiation(t, reserved=1 << n) for n in range(0, 24, 5)],
    ),
    (
        "reserved",
        "response with each reserved byte set",
        STRANGER,
        lambda t: [forged_response(t, reserved=1 << n) for n in range(0, 24, 5)],
    ),
    (
        "reserved",
        "cookie reply with each reserved byte set",
        STRANGER,
        lambda t: [cookie_to(t, t.keys.remote, reserved=1 << n) for n in range(0, 24, 5)],
    ),
    (
        "reserved",
        "valid data with each reserved byte set",
        STRANGER,
        lambda t: [t.sealed(reserved=1 << n) for n in range(24)],
    ),
    (
        "type",
        "types 0, 5, 255, 256 and 2^24 in all sizes of messages",
        STRANGER,
        lambda t: [
            head(k & 255, k >> 8) + t.noise(n - 4)
            for k in (0, 5, 255, 256, 2**24)
            for n in (32, 64, 92, 148)
        ],
    ),
    (
        "type",
        "2,000 datagrams of noise",
        STRANGER,
        lambda t: [t.noise(t.random.randrange(1400)) for _ in range(2000)],
    ),
    (
        "type",
        "valid data under the types 0 and 5",
        STRANGER,
        lambda t: [t.sealed(kind=k) for k in (0, 5)],
    ),
    (
        "mac1",
        "initiation, mac1 wrong by each single bit",
        STRANGER,
        lambda t: bits(peer_initiation(t), 116, 132, 128, t),
    ),
    (
        "mac1",
        "initiation, one bit before mac1 wrong, 200 times",
        STRANGER,
        lambda t: bits(peer_initiation(t), 4, 116, 200, t),
    ),
    ("mac1", "initiation, mac1 zero", STRANGER, lambda t: [peer_initiation(t, mac1=ZERO16)]),
    (
        "mac1",
        "initiation, mac1 made for the peer's key",
        STRANGER,
        lambda t: [
            (m := peer_initiation(t))[:116]
            + mac(blake2s(b"mac1----", t.peer.public), m[:116])
            + ZERO16
        ],
    ),
    (
        "static",
        "initiation, right mac1, noise inside",
        STRANGER,
        lambda t: [junk(t, INITIATION, 148) for _ in range(5)],
    ),
    (
        "static",
        "initiation, static key undecryptable by one bit",
        STRANGER,
        lambda t: [peer_initiation(t, spoil_static=True)],
    ),
    (
        "static",
        "initiation for another responder, mac1 repaired",
        STRANGER,
        lambda t: [
            with_macs(t, Noise(t.peer.private, public_of(new_private())).initiation()[0][:116])
        ],
    ),
    (
        "unknown-key",
        "initiation from an unknown static key",
        STRANGER,
        lambda t: [t.stranger().initiation()[0]],
    ),
    (
        "unknown-key",
        "initiation from the daemon's own static key",
        STRANGER,
        lambda t: [peer_initiation(t, static=t.link.private)],
    ),
    (
        "unknown-key",
        "initiation with the peer's public key, sealed by a stranger",
        STRANGER,
        lambda t: [t.stranger().initiation(static_point=t.peer.public)[0]],
    ),
    (
        "unknown-key",
        "initiation with static keys of small order",
        STRANGER,
        lambda t: [t.stranger().initiation(static_point=point)[0] for point in LOW_POINTS],
    ),
    (
        "stamp-sealed",
        "initiation, timestamp undecryptable by one bit",
        STRANGER,
        lambda t: [peer_initiation(t, spoil_timestamp=True)],
    ),
    ("replayed", "genuine initiation replayed five times", STRANGER, lambda t: [t.initiation] * 5),
    (
        "replayed",
        "genuine initiation replayed with another index, mac1 repaired",
        STRANGER,
        lambda t: [with_macs(t, t.initiation[:4] + t.noise(4) + t.initiation[8:116])],
    ),
    (
        "timestamp",
        "new initiation, timestamp equal to the last",
        STRANGER,
        lambda t: [peer_initiation(t, timestamp=stamp_at(t, 0))],
    ),
    (
        "timestamp",
        "new initiation, timestamp 1 ns older",
        STRANGER,
        lambda t: [peer_initiation(t, timestamp=stamp_at(t, -1))],
    ),
    (
        "timestamp",
        "new initiation, timestamp an hour older",
        STRANGER,
        lambda t: [peer_initiation(t, timestamp=stamp_at(t, -3600 * 10**9))],
    ),
    (
        "timestamp",
        "new initiation, timestamps zero and of 1970",
        STRANGER,
        lambda t: [peer_initiation(t, timestamp=stamp) for stamp in (bytes(12), tai64n(0, 0))],
    ),
    *(
        (
            "small-order",
            f"initiation by the peer, ephemeral {name}{bit}",
            STRANGER,
            lambda t, p=point: [peer_initiation(t, ephemeral_point=p)],
        )
        for text, points in (
            ("", LOW_ORDER.items()),
            (", high bit set", [(n, high_bit(p)) for n, p in LOW_ORDER.items()]),
        )
        for bit in [text]
        for name, point in points
    ),
    (
        "response",
        "unsolicited response to an unknown index",
        STRANGER,
        lambda t: [forged_response(t, receiver=t.random.getrandbits(32)) for _ in range(5)],
    ),
    (
        "response",
        "unsolicited response to the index in use",
        STRANGER,
        lambda t: [forged_response(t)],
    ),
    (
        "response",
        "unsolicited responses to index 0 and 2^32-1",
        STRANGER,
        lambda t: [forged_response(t, receiver=n) for n in (0, 2**32 - 1)],
    ),
    (
        "response",
        "unsolicited response with ephemerals of small order",
        STRANGER,
        lambda t: [forged_response(t, ephemeral_point=p) for p in LOW_POINTS],
    ),
    (
        "response",
        "response with mac1 wrong by one bit",
        STRANGER,
        lambda t: bits(forged_response(t), 60, 76, 20, t),
    ),
    (
        "response",
        "the daemon's own messages sent back to it",
        STRANGER,
        lambda t: [m for m, _ in zip(reversed(t.peer.heard), range(10))],
    ),
    (
        "cookie",
        "unsolicited cookie reply, unknown index",
        STRANGER,
        lambda t: [cookie_to(t, 0x12345678)],
    ),
    (
        "cookie",
        "unsolicited cookie reply, index in use",
        STRANGER,
        lambda t: [cookie_to(t, t.keys.remote)],
    ),
    (
        "cookie",
        "cookie reply with a stranger's key",
        STRANGER,
        lambda t: [cookie_to(t, t.keys.remote, key=blake2s(b"cookie--", t.stranger().public))],
    ),
    (
        "cookie",
        "cookie reply of 63 and 65 bytes",
        STRANGER,
        lambda t: [cookie_to(t, t.keys.remote)[:63], cookie_to(t, t.keys.remote) + b"\0"],
    ),
]


# While the daemon waits for a response: (kind, text, maker); the answers are to its own
# initiation.
PENDING: list[tuple[str, str, Callable[[Target], Iterable[bytes]]]] = [
    (
        "response",
        "response, ephemerals of small order, all else right",
        lambda t: [t.peer.response(t.pending, ephemeral_point=p)[0] for p in LOW_POINTS],
    ),
    (
        "response",
        "response with each reserved byte set",
        lambda t: [t.peer.response(t.pending, reserved=1 << n)[0] for n in (0, 8, 16)],
    ),
    (
        "response",
        "response of 91 and 93 bytes",
        lambda t: [(m := t.peer.response(t.pending)[0])[:91], m + b"\0"],
    ),
    (
        "response",
        "response, each bit of mac1 flipped",
        lambda t: bits(t.peer.response(t.pending)[0], 60, 76, 128, t),
    ),
    (
        "response",
        "response, empty field undecryptable",
        lambda t: [t.peer.response(t.pending, spoil_empty=True)[0]],
    ),
    (
        "response",
        "response with another preshared key",
        lambda t: [t.peer.response(t.pending, psk=b"z" * 32)[0]],
    ),
    (
        "response",
        "response to another index",
        lambda t: [t.peer.response(t.pending, receiver=t.pending.remote ^ 1)[0]],
    ),
    (
        "response",
        "response by a stranger who saw the initiation",
        lambda t: [
            t.stranger().response(
                Handshake(
                    ZERO32,
                    t.pending.hash,
                    remote=t.pending.remote,
                    their_ephemeral=t.pending.their_ephemeral,
                    their_static=t.pending.their_static,
                )
            )[0]
        ],
    ),
    (
        "response",
        "response with the static key of a stranger (se wrong)",
        lambda t: [
            t.peer.response(
                Handshake(
                    t.pending.chain,
                    t.pending.hash,
                    remote=t.pending.remote,
                    their_ephemeral=t.pending.their_ephemeral,
                    their_static=public_of(new_private()),
                )
            )[0]
        ],
    ),
    ("cookie", "cookie reply with wrong AAD", lambda t: [cookie_to(t, t.pending.remote)]),
    (
        "cookie",
        "cookie reply with a stranger's key",
        lambda t: [t.stranger().cookie_reply(t.pending.remote, t.pending.mac1, t.noise(16))],
    ),
    (
        "cookie",
        "cookie reply to another index",
        lambda t: [t.peer.cookie_reply(t.pending.remote ^ 1, t.pending.mac1, t.noise(16))],
    ),
    (
        "cookie",
        "cookie reply of 63 and 65 bytes",
        lambda t: [
            (m := t.peer.cookie_reply(t.pending.remote, t.pending.mac1, t.noise(16)))[:63],
            m + b"\0",
        ],
    ),
    (
        "cookie",
        "cookie reply with each reserved byte set",
        lambda t: [
            t.peer.cookie_reply(t.pending.remote, t.pending.mac1, t.noise(16), reserved=1 << n)
            for n in (0, 8, 16)
        ],
    ),
    (
        "cookie",
        "cookie reply with one bit wrong",
        lambda t: bits(
            t.peer.cookie_reply(t.pending.remote, t.pending.mac1, t.noise(16)), 8, 64, 100, t
        ),
    ),
]
