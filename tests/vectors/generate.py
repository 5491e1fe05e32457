#!/usr/bin/python3
"""Makes generated.h: answers that an independent implementation gives to the same questions.

What:  BLAKE2s, HMAC and HKDF from Python's hashlib and hmac; X25519 and ChaCha20-Poly1305 from
       python3-cryptography; XChaCha20-Poly1305 from HChaCha20 as written below; and from these a
       whole WireGuard handshake with fixed ephemeral keys. Nothing in here shares a line with
       daemon/proto.
When:  never in the build; by hand, after a question was added. The result is kept in the tree.
Needs: python3, python3-cryptography.
Usage: generate.py > generated.h

The script first checks itself against the published vectors, so that a mistake in it cannot
become the truth.
"""
import hashlib
import hmac
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BLOCK = 64


def hash2s(data):
    return hashlib.blake2s(data).digest()


def mac(key, data):
    return hashlib.blake2s(data, key=key, digest_size=16).digest()


def hmac2s(key, data):
    return hmac.new(key, data, hashlib.blake2s).digest()


def kdf(chaining_key, data, n):
    secret, block, blocks = hmac2s(chaining_key, data), b"", []
    for i in range(1, n + 1):
        block = hmac2s(secret, block + bytes([i]))
        blocks.append(block)
    return blocks


def public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes(
        Encoding.Raw, PublicFormat.Raw)


def dh(private, remote):
    return X25519PrivateKey.from_private_bytes(private).exchange(
        X25519PublicKey.from_public_bytes(remote))


def aead(key, counter, plain, ad):
    return ChaCha20Poly1305(key).encrypt(bytes(4) + struct.pack("<Q", counter), plain, ad)


def hchacha20(key, nonce):
    def rotate(value, n):
        return (value << n | value >> (32 - n)) & 0xFFFFFFFF

    def quarter(x, a, b, c, d):
        for first, second, third, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[first] = (x[first] + x[second]) & 0xFFFFFFFF
            x[third] = rotate(x[third] ^ x[first], n)

    x = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))
    for _ in range(10):
        for i in range(4):
            quarter(x, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *x[:4], *x[12:])


def xaead(key, nonce, plain, ad):
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])).encrypt(bytes(4) + nonce[16:], plain, ad)


def check_self():
    """The published vectors that this script can be wrong about."""
    sunscreen = (b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for "
                 b"the future, sunscreen would be it.")
    sealed = xaead(bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58)), sunscreen,
                   bytes.fromhex("50515253c0c1c2c3c4c5c6c7"))
    assert sealed.hex().startswith("bd6d179d3e83d43b9576579493c0e939")
    assert sealed.hex().endswith("c0875924c1c7987947deafd8780acf49")
    assert hchacha20(bytes(range(32)), bytes.fromhex("000000090000004a0000000031415927")).hex() == \
        "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
    assert hash2s(b"abc").hex() == \
        "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"
    assert dh(bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
              bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")) \
        .hex() == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"


def text(data):
    """A C string of hexadecimal digits, broken at the house's line length."""
    digits = data.hex()
    lines = [digits[i:i + 80] for i in range(0, len(digits), 80)] or [""]
    return "\n\t".join('"%s"' % line for line in lines)


def define(name, data):
    print("static const char %s[] =\n\t%s;" % (name, text(data)))


def counting(n):
    """The input of the official known-answer files: 00, 01, 02, ..."""
    return bytes(i & 0xFF for i in range(n))


def make_hashes():
    print("\n/* BLAKE2s-256 of 00, 01, 02, ... with that many bytes, unkeyed. */")
    print("static const struct hash_row hash_rows[] = {")
    for n in (0, 1, 2, 31, 32, 33, 55, 63, 64, 65, 100, 127, 128, 129, 191, 192, 193, 255, 1000):
        print('\t{ %d, "%s" },' % (n, hash2s(counting(n)).hex()))
    print("};")
    print("\n/* The same keyed with 00, 01, ... of key_len bytes, 16 bytes of result. */")
    print("static const struct mac_row mac_rows[] = {")
    for key_len in (1, 16, 32):
        for n in (0, 1, 16, 63, 64, 65, 116, 128, 132, 255):
            print('\t{ %d, %d, "%s" },' % (key_len, n, mac(counting(key_len), counting(n)).hex()))
    print("};")
    print("\n/* HMAC-BLAKE2s of the same inputs; keys up to, of, and beyond a block. */")
    print("static const struct mac_row hmac_rows[] = {")
    for key_len in (1, 32, 63, 64, 65, 100):
        for n in (0, 1, 32, 64, 65, 200):
            print('\t{ %d, %d,\n\t  "%s" },' %
                  (key_len, n, hmac2s(counting(key_len), counting(n)).hex()))
    print("};")
    print("\n/* HKDF-BLAKE2s: chaining key 00..1f, the input that long, three outputs. */")
    print("static const struct kdf_row kdf_rows[] = {")
    for n in (0, 1, 32, 64, 100):
        print('\t{ %d,\n\t  { %s } },' % (n, ",\n\t    ".join(
            '"%s"' % block.hex() for block in kdf(counting(32), counting(n), 3))))
    print("};")


def make_aeads():
    print("\n/* ChaCha20-Poly1305: key 00..1f, plain and ad 00, 01, ... of those lengths. */")
    print("static const struct aead_row aead_rows[] = {")
    for counter in (0, 1, 0xFFFFFFFF, 0x100000000, 0x0123456789ABCDEF, 2**64 - 2**13 - 2):
        for plain_len, ad_len in ((0, 0), (0, 32), (12, 32), (32, 32), (65, 0)):
            print("\t{ 0x%xULL, %d, %d,\n\t  %s }," % (
                counter, plain_len, ad_len,
                text(aead(counting(32), counter, counting(plain_len), counting(ad_len)))
                .replace("\n\t", "\n\t  ")))
    print("};")
    print("\n/* XChaCha20-Poly1305 as cookies use it: the first 16 bytes of the draft's example\n"
          " * (key 80..9f, nonce 40..57), and the same for ad 00, 01, ... of 16 bytes. */")
    plain = b"Ladies and Gentl"
    key, nonce = bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58))
    define("xaead_draft_ad", xaead(key, nonce, plain, bytes.fromhex("50515253c0c1c2c3c4c5c6c7")))
    define("xaead_mac_ad", xaead(key, nonce, plain, counting(16)))


class Symmetric:
    def __init__(self, responder_static):
        self.ck = hash2s(b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s")
        self.h = hash2s(self.ck + b"WireGuard v1 zx2c4 Jason@zx2c4.com")
        self.mix_hash(responder_static)
        self.key = None

    def mix_hash(self, data):
        self.h = hash2s(self.h + data)

    def mix_key(self, data):
        self.ck, self.key = kdf(self.ck, data, 2)

    def mix_psk(self, data):
        self.ck, to_hash, self.key = kdf(self.ck, data, 3)
        self.mix_hash(to_hash)

    def seal(self, plain):
        cipher = aead(self.key, 0, plain, self.h)
        self.mix_hash(cipher)
        return cipher


def add_macs(message, receiver_static, cookie):
    message += mac(hash2s(b"mac1----" + receiver_static), message)
    return message + (mac(cookie, message) if cookie else bytes(16))


def make_handshake(prefix, psk, cookie):
    """One handshake; `cookie` is one that the initiator must show, or None."""
    init_static, resp_static = hash2s(b"initiator"), hash2s(b"responder")
    init_ephemeral, resp_ephemeral = hash2s(prefix + b" init"), hash2s(prefix + b" resp")
    init_index, resp_index = 0x1A2B3C4D, 0x99887766
    stamp = struct.pack(">QI", 2**62 + 10 + 1700000000, 0x0B000000)
    name = prefix.decode()

    state = Symmetric(public(resp_static))
    for value in (public(init_ephemeral),):
        state.mix_hash(value)
        state.mix_key(value)
    state.mix_key(dh(init_ephemeral, public(resp_static)))
    sealed_static = state.seal(public(init_static))
    state.mix_key(dh(init_static, public(resp_static)))
    sealed_stamp = state.seal(stamp)
    initiation = struct.pack("<II", 1, init_index) + public(init_ephemeral) + sealed_static + \
        sealed_stamp
    initiation = add_macs(initiation, public(resp_static), cookie)

    state.mix_hash(public(resp_ephemeral))
    state.mix_key(public(resp_ephemeral))
    state.mix_key(dh(resp_ephemeral, public(init_ephemeral)))
    state.mix_key(dh(resp_ephemeral, public(init_static)))
    state.mix_psk(psk)
    nothing = state.seal(b"")
    response = struct.pack("<III", 2, resp_index, init_index) + public(resp_ephemeral) + nothing
    response = add_macs(response, public(init_static), None)
    to_responder, to_initiator = kdf(state.ck, b"", 2)

    print("\n/* A handshake with%s preshared key%s. */" %
          ("" if any(psk) else "out a", " and a cookie" if cookie else ""))
    print("static const struct handshake_vector %s = {" % name)
    for field, data in (
            ("init_static", init_static), ("resp_static", resp_static),
            ("init_public", public(init_static)), ("resp_public", public(resp_static)),
            ("init_ephemeral", init_ephemeral), ("resp_ephemeral", resp_ephemeral),
            ("preshared", psk), ("stamp", stamp), ("cookie", cookie or b""),
            ("initiation", initiation), ("response", response),
            ("to_responder", to_responder), ("to_initiator", to_initiator),
            ("keepalive", struct.pack("<IIQ", 4, resp_index, 0) + aead(to_responder, 0, b"", b"")),
            ("data", struct.pack("<IIQ", 4, init_index, 7) +
             aead(to_initiator, 7, counting(48), b""))):
        print("\t.%s =\n\t\t%s," % (field, text(data).replace("\n\t", "\n\t\t")))
    print("\t.init_index = 0x%x,\n\t.resp_index = 0x%x,\n};" % (init_index, resp_index))
    return initiation, public(resp_static)


def make_cookie_reply(initiation, resp_public):
    """What a responder under load answers to that initiation from 192.0.2.1:51820."""
    secret, nonce = counting(32), counting(24)
    source4 = bytes([192, 0, 2, 1]) + struct.pack(">H", 51820)
    source6 = bytes.fromhex("20010db8000000000000000000000001") + struct.pack(">H", 51820)
    key = hash2s(b"cookie--" + resp_public)
    mac1 = initiation[116:132]
    print("\n/* Cookie replies to the first initiation, secret 00..1f, nonce 00..17; the cookies\n"
          " * of 192.0.2.1:51820 and [2001:db8::1]:51820. */")
    for name, source in (("4", source4), ("6", source6)):
        cookie = mac(secret, source)
        define("cookie_" + name, cookie)
        define("cookie_reply_" + name,
               struct.pack("<II", 3, 0x1A2B3C4D) + nonce + xaead(key, nonce, cookie, mac1))


def main():
    check_self()
    print("/* Made by generate.py; do not edit. What the rows mean: vectors.h. */\n/* clang-format off */")
    make_hashes()
    make_aeads()
    initiation, resp_public = make_handshake(b"handshake_plain", bytes(32), None)
    make_handshake(b"handshake_psk", hash2s(b"preshared"), None)
    make_handshake(b"handshake_cookie", hash2s(b"preshared"), counting(16))
    make_cookie_reply(initiation, resp_public)
    return 0


if __name__ == "__main__":
    sys.exit(main())
