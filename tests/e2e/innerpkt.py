"""Inner packets: builds IPv4, IPv6, UDP and ICMP by hand, so that every field can also be wrong.
"""

import ipaddress
import struct

UDP, ICMP, ICMP6, GRE = 17, 1, 58, 47


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packed(address: str) -> bytes:
    """An address as its bytes."""
    return ipaddress.ip_address(address).packed


def _pseudo(src: str, dst: str, proto: int, length: int) -> bytes:
    if ":" in src:
        return packed(src) + packed(dst) + struct.pack(">II", length, proto)
    return packed(src) + packed(dst) + struct.pack(">BBH", 0, proto, length)


def ipv4(
    src: str,
    dst: str,
    proto: int,
    payload: bytes,
    *,
    tos: int = 0,
    version: int = 4,
    ihl: int = 5,
    length: int | None = None,
    ident: int = 0,
    fragment: int = 0x4000,
    ttl: int = 64,
) -> bytes:
    """An IPv4 packet; `length` replaces the total length, `ihl` the header length in words."""
    if length is None:
        length = 20 + len(payload)
    header = (
        struct.pack(
            ">BBHHHBBH",
            (version & 15) << 4 | ihl & 15,
            tos,
            length & 0xFFFF,
            ident,
            fragment,
            ttl,
            proto,
            0,
        )
        + packed(src)
        + packed(dst)
    )
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + payload


def ipv6(
    src: str,
    dst: str,
    proto: int,
    payload: bytes,
    *,
    tos: int = 0,
    version: int = 6,
    length: int | None = None,
    hops: int = 64,
) -> bytes:
    """An IPv6 packet; `length` replaces the payload length."""
    if length is None:
        length = len(payload)
    return (
        struct.pack(">IHBB", (version & 15) << 28 | tos << 20, length & 0xFFFF, proto, hops)
        + packed(src)
        + packed(dst)
        + payload
    )


def ip(src: str, dst: str, proto: int, payload: bytes, **fields: int) -> bytes:
    """An IP packet of the family of its addresses."""
    return (ipv6 if ":" in src else ipv4)(src, dst, proto, payload, **fields)


def udp_segment(
    src: str, dst: str, sport: int, dport: int, data: bytes, *, check: int | None = None
) -> bytes:
    """A UDP header and its data; `check` replaces the checksum."""
    header = struct.pack(">HHHH", sport, dport, 8 + len(data), 0)
    if check is None:
        check = checksum(_pseudo(src, dst, UDP, 8 + len(data)) + header + data) or 0xFFFF
    return header[:6] + struct.pack(">H", check) + data


def udp(src: str, dst: str, sport: int, dport: int, data: bytes, **fields: int) -> bytes:
    """A UDP datagram in an IP packet."""
    return ip(src, dst, UDP, udp_segment(src, dst, sport, dport, data), **fields)


def echo(src: str, dst: str, ident: int, seq: int, data: bytes = b"", **fields: int) -> bytes:
    """An ICMP or ICMPv6 echo request."""
    six = ":" in src
    body = struct.pack(">BBHHH", 128 if six else 8, 0, 0, ident, seq) + data
    cover = _pseudo(src, dst, ICMP6, len(body)) + body if six else body
    body = body[:2] + struct.pack(">H", checksum(cover)) + body[4:]
    return ip(src, dst, ICMP6 if six else ICMP, body, **fields)


def is_echo_reply(packet: bytes, ident: int, seq: int) -> bool:
    """Whether a decrypted packet is the answer to echo(…, ident, seq)."""
    if len(packet) >= 28 and packet[0] >> 4 == 4 and packet[9] == ICMP:
        kind, body = 0, packet[20:]
    elif len(packet) >= 48 and packet[0] >> 4 == 6 and packet[6] == ICMP6:
        kind, body = 129, packet[40:]
    else:
        return False
    return body[0] == kind and struct.unpack_from(">HH", body, 4) == (ident, seq)


def is_echo_request(packet: bytes) -> bool:
    """Whether a packet is an echo request of either family."""
    if packet[0] >> 4 == 4:
        return packet[9] == ICMP and packet[20] == 8
    return packet[6] == ICMP6 and packet[40] == 128


def true_length(packet: bytes) -> int:
    """How many bytes of a decrypted packet are the packet; the rest is padding."""
    if packet and packet[0] >> 4 == 4:
        return struct.unpack_from(">H", packet, 2)[0]
    if packet and packet[0] >> 4 == 6:
        return 40 + struct.unpack_from(">H", packet, 4)[0]
    return 0


def ecn(packet: bytes) -> int:
    """The two ECN bits of an IP packet."""
    if packet[0] >> 4 == 4:
        return packet[1] & 3
    return packet[1] >> 4 & 3
