#!/usr/bin/env python3
"""Prints ciphers.h: what sealing data messages must give, by implementations that are not ours.

Usage: ./ciphers.py > ciphers.h

AES-256-GCM and ChaCha20-Poly1305 are python3-cryptography's. AEGIS-128L and AEGIS-256 with tags of
32 bytes are written down here from draft-irtf-cfrg-aegis-aead, sections 4 and 5, and must give the
draft's vectors (appendix A) before a line is printed: the draft's own nonces do not begin with
zeros, as those of messages do.
"""
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305


# --- AES, one round (FIPS 197) ------------------------------------------------------------------


def double(byte):
    byte <<= 1
    return byte ^ 0x11B if byte & 0x100 else byte


def make_sbox():
    """The inverse in GF(2^8), then the affine map."""
    box = [0x63] * 256
    p = q = 1
    while True:
        p ^= double(p)  # p runs through the field by 3, q through its inverses
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 0x09
        turned = [(q << n | q >> (8 - n)) & 0xFF for n in range(5)]
        box[p] = 0x63 ^ turned[0] ^ turned[1] ^ turned[2] ^ turned[3] ^ turned[4]
        if p == 1:
            return box


SBOX = make_sbox()


def xor(*blocks):
    return bytes(a ^ b for a, b in zip(blocks[0], xor(*blocks[1:]))) if blocks[1:] else blocks[0]


def both(a, b):
    return bytes(x & y for x, y in zip(a, b))


def aes_round(block, key):
    out = bytearray()
    for column in range(4):
        a, b, c, d = (SBOX[block[(4 * (column + row) + row) % 16]] for row in range(4))
        every = a ^ b ^ c ^ d
        out += bytes(x ^ every ^ double(x ^ y) for x, y in ((a, b), (b, c), (c, d), (d, a)))
    return xor(bytes(out), key)


# --- AEGIS ------------------------------------------------------------------------------------------

C0 = bytes.fromhex("000101020305080d1522375990e97962")
C1 = bytes.fromhex("db3d18556dc22ff12011314273b528dd")


def lengths(ad_len, plain_len):
    return (8 * ad_len).to_bytes(8, "little") + (8 * plain_len).to_bytes(8, "little")


def update(state, inputs):
    """Each block goes through a round keyed with the next; `inputs`: {index: block}."""
    n = len(state)
    return [
        aes_round(state[i - 1], xor(state[i], inputs[i]) if i in inputs else state[i])
        for i in range(n)
    ]


class Aegis128L:
    rate, nonce_len = 32, 16

    def __init__(self, key, nonce):
        s = [xor(key, nonce), C1, C0, C1, xor(key, nonce), xor(key, C0), xor(key, C1), xor(key, C0)]
        for _ in range(10):
            s = update(s, {0: nonce, 4: key})
        self.s = s

    def stream(self):
        s = self.s
        return xor(s[6], s[1], both(s[2], s[3])) + xor(s[2], s[5], both(s[6], s[7]))

    def absorb(self, block):
        self.s = update(self.s, {0: block[:16], 4: block[16:]})

    def tag(self, ad_len, plain_len):
        t = xor(self.s[2], lengths(ad_len, plain_len))
        for _ in range(7):
            self.s = update(self.s, {0: t, 4: t})
        return xor(*self.s[:4]) + xor(*self.s[4:])


class Aegis256:
    rate, nonce_len = 16, 32

    def __init__(self, key, nonce):
        k0, k1, n0, n1 = key[:16], key[16:], nonce[:16], nonce[16:]
        s = [xor(k0, n0), xor(k1, n1), C1, C0, xor(k0, C0), xor(k1, C1)]
        for _ in range(4):
            for block in (k0, k1, xor(k0, n0), xor(k1, n1)):
                s = update(s, {0: block})
        self.s = s

    def stream(self):
        s = self.s
        return xor(s[1], s[4], s[5], both(s[2], s[3]))

    def absorb(self, block):
        self.s = update(self.s, {0: block})

    def tag(self, ad_len, plain_len):
        t = xor(self.s[3], lengths(ad_len, plain_len))
        for _ in range(7):
            self.s = update(self.s, {0: t})
        return xor(*self.s[:3]) + xor(*self.s[3:])


def aegis_seal(variant, key, nonce, plain):
    """Without associated data, which data messages do not have; the tag has 32 bytes."""
    cipher, out = variant(key, nonce), b""
    for at in range(0, len(plain), variant.rate):
        part = plain[at : at + variant.rate]
        out += xor(part, cipher.stream()[: len(part)])
        cipher.absorb(part.ljust(variant.rate, b"\0"))
    return out + cipher.tag(0, len(plain))


# --- published: the questions' answers before ours are trusted -----------------------------------------

# draft-irtf-cfrg-aegis-aead, appendix A: test vectors 1 (16 zero bytes) and 2 (nothing).
DRAFT = (
    (Aegis128L, 16, bytes(16), "c1c0e58bd913006feba00f4b3cc3594e"
     "25835bfbb21632176cf03840687cb968cace4617af1bd0f7d064c639a5c79ee4"),
    (Aegis128L, 16, b"", "1360dc9db8ae42455f6e5b6a9d488ea4f2184c4e12120249335c4ee84bafe25d"),
    (Aegis256, 32, bytes(16), "754fc3d8c973246dcc6d741412a4b236"
     "1181a1d18091082bf0266f66297d167d2e68b845f61a3b0527d31fc7b7b89f13"),
    (Aegis256, 32, b"", "6a348c930adbd654896e1666aad67de989ea75ebaa2b82fb588977b1ffec864a"),
)


def check_draft():
    for variant, key_len, plain, expected in DRAFT:
        key = bytes.fromhex("1001").ljust(key_len, b"\0")
        nonce = bytes.fromhex("100002").ljust(variant.nonce_len, b"\0")
        got = aegis_seal(variant, key, nonce, plain).hex()
        assert got == expected, (variant.__name__, got)


# --- rows ---------------------------------------------------------------------------------------------

SEAL = {
    "CIPHER_CHACHA20_POLY1305": (12, lambda k, n, p: ChaCha20Poly1305(k).encrypt(n, p, b"")),
    "CIPHER_AES256_GCM": (12, lambda k, n, p: AESGCM(k).encrypt(n, p, b"")),
    "CIPHER_AEGIS128L": (16, lambda k, n, p: aegis_seal(Aegis128L, k[:16], n, p)),
    "CIPHER_AEGIS256": (32, lambda k, n, p: aegis_seal(Aegis256, k, n, p)),
}
# Edges of blocks, and counters of which each byte has its place.
ROWS = (
    (0, 0), (1, 1), (2, 15), (3, 16), (255, 17), (256, 31), (65536, 32), (2**32, 33),
    (0x0102030405060708, 64), (2**63, 100), (2**64 - 2**13 - 2, 129),
)


def main():
    check_draft()
    key = bytes(range(0x80, 0xA0))
    print("/* Made by ciphers.py; see README.md. Key 80, 81, ... 9f; plaintext 00, 01, ... */")
    print("/* clang-format off */")
    print("static const struct cipher_row cipher_rows[] = {")
    for suite, (nonce_len, seal) in SEAL.items():
        for counter, length in ROWS:
            nonce = counter.to_bytes(8, "little").rjust(nonce_len, b"\0")
            text = seal(key, nonce, bytes(range(length))).hex()
            print("\t{ %s, 0x%xULL, %d," % (suite, counter, length))
            for at in range(0, len(text), 64):
                end = text[at + 64 :] == "" and " }," or ""
                print('\t  "%s"%s' % (text[at : at + 64], end))
    print("};")


if __name__ == "__main__":
    main()
