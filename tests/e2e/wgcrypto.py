"""The primitives that WireGuard is made of, and what an attacker feeds them."""

import hashlib
import hmac
import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ZERO32 = bytes(32)
ZERO16 = bytes(16)
TAI_OFFSET = 2**62 + 10
P25519 = 2**255 - 19
_ORDER8_A = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")
_ORDER8_B = bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")

# The points of small order, with the encodings that are not reduced modulo p.
LOW_ORDER = {
    "0": ZERO32,
    "1": (1).to_bytes(32, "little"),
    "order 8, first": _ORDER8_A,
    "order 8, second": _ORDER8_B,
    "p-1": (P25519 - 1).to_bytes(32, "little"),
    "p": P25519.to_bytes(32, "little"),
    "p+1": (P25519 + 1).to_bytes(32, "little"),
}


class Refused(Exception):
    """A message that this peer cannot accept; the text says which check failed."""


def high_bit(point: bytes) -> bytes:
    """The same point with the unused top bit set: X25519 must ignore the bit (RFC 7748, section
    5).
    """
    return point[:31] + bytes([point[31] | 0x80])


def new_private() -> bytes:
    """A fresh private key, raw."""
    return os.urandom(32)


def public_of(private: bytes) -> bytes:
    """The public key that belongs to a raw private key."""
    key = X25519PrivateKey.from_private_bytes(private).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def dh(private: bytes, public: bytes) -> bytes:
    """X25519; a point of small order gives zeros instead of an error, since that is what we
    attack with.
    """
    try:
        return X25519PrivateKey.from_private_bytes(private).exchange(
            X25519PublicKey.from_public_bytes(public)
        )
    except ValueError:
        return ZERO32


def blake2s(*parts: bytes) -> bytes:
    """HASH of the paper."""
    return hashlib.blake2s(b"".join(parts)).digest()


def mac(key: bytes, data: bytes) -> bytes:
    """MAC of the paper: keyed BLAKE2s with 16 bytes of output."""
    return hashlib.blake2s(data, digest_size=16, key=key).digest()


def kdf(count: int, key: bytes, data: bytes) -> list[bytes]:
    """HKDF over HMAC-BLAKE2s, `count` outputs of 32 bytes."""
    secret = hmac.new(key, data, hashlib.blake2s).digest()
    out, last = [], b""
    for i in range(1, count + 1):
        last = hmac.new(secret, last + bytes([i]), hashlib.blake2s).digest()
        out.append(last)
    return out


def aead_seal(key: bytes, counter: int, plain: bytes, aad: bytes) -> bytes:
    """ChaCha20-Poly1305 with WireGuard's nonce: four zero bytes, then the counter."""
    return ChaCha20Poly1305(key).encrypt(struct.pack("<IQ", 0, counter), plain, aad)


def aead_open(key: bytes, counter: int, sealed: bytes, aad: bytes, what: str) -> bytes:
    """The inverse of aead_seal; raises Refused naming the field."""
    try:
        return ChaCha20Poly1305(key).decrypt(struct.pack("<IQ", 0, counter), sealed, aad)
    except InvalidTag:
        raise Refused(f"{what}: wrong tag") from None


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """HChaCha20 of draft-irtf-cfrg-xchacha: the 20 rounds without the final addition, outer two
    rows.
    """
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def quarter(a: int, b: int, c: int, d: int) -> None:
        for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            t = s[z] ^ s[x]
            s[z] = ((t << n) | (t >> (32 - n))) & 0xFFFFFFFF

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *s[0:4], *s[12:16])


def xaead(key: bytes, nonce: bytes) -> tuple[ChaCha20Poly1305, bytes]:
    """XChaCha20-Poly1305 as a cipher and its inner nonce."""
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])), bytes(4) + nonce[16:]


def tai64n(seconds: int, nanoseconds: int) -> bytes:
    """A TAI64N label for a Unix time; values outside of the sane range are allowed."""
    return struct.pack(">QI", TAI_OFFSET + seconds, nanoseconds)


def flip(message: bytes, bit: int) -> bytes:
    """The same bytes with one bit inverted."""
    out = bytearray(message)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)
