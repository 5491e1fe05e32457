"""Black-box groups for inner packets: sizes, padding, checks, congestion marks.

Each group is a function with a daemon of its own, so that all run at the same time (see
blackbox.py).
"""

import socket
import struct
import time

import innerpkt
from bb_transport import SHORT
from wgpeer import DATA, RESPONSE
from wgrig import Link, Report, Sniffer, env


def padding(report: Report) -> None:
    """Sizes on the wire"""
    with Link(44, family=6) as link:
        user, keys = link.user(), link.connect()
        link.peer.drain(SHORT)
        wrong = []
        for size in range(28, 1421):
            user.sendto(bytes(size - 28), (link.inner[4][1], 9))
            packet = link.peer.expect(DATA, 0.5)
            if packet is None:
                wrong.append((size, None))
                continue
            plain = link.peer.read_data(keys, packet.data)[1]
            padded = min(1420, (size + 15) // 16 * 16)
            if (
                len(packet.data) != 32 + padded
                or any(plain[size:])
                or innerpkt.true_length(plain) != size
            ):
                wrong.append((size, len(packet.data)))
        report.row(
            "padding",
            not wrong,
            "inner packets of 28 to 1420 bytes: padded with zeros to 16, never over the MTU",
            wrong[:8],
        )
        watch = Sniffer(env("DUT"), env("DEV"))
        user.sendto(bytes(1392), (link.inner[4][1], 9))
        sizes = [
            len(p)
            for p in watch.take(outgoing=True, seconds=0.1)
            if struct.unpack_from(">H", p, 40)[0] == link.port and p[0] >> 4 == 6
        ]
        report.row("mtu", sizes == [1500], "a full packet makes 1500 bytes of outer IPv6", sizes)
        inside = Sniffer(env("DUT"), link.name)
        wanted, got = [], []
        for family in (4, 6):
            for size in (0, 1, 2, 15, 16, 17, 500):
                packet = link.datagram(bytes(size), user.getsockname()[1], family)
                wanted += [packet] * 3
                # One by one: a burst would enter the interface as one superpacket.
                for data in (
                    link.peer.data(keys, packet, pad=False),
                    link.peer.data(keys, packet),
                    link.peer.data(keys, packet + b"\xee" * 77, pad=False),
                ):
                    link.peer.send(data)
                    got += inside.take(outgoing=False, seconds=0.03)
        got += inside.take(outgoing=False, seconds=SHORT)
        report.row(
            "padding",
            sorted(got) == sorted(wanted),
            "no padding, right padding and too much of it: trimmed to the " "IP length",
            (len(got), len(wanted)),
        )


def inner_kinds(report: Report) -> None:
    """Odd but right inner packets, and destinations that are not allowed"""
    with Link(45) as link:
        keys = link.connect()
        inside = Sniffer(env("DUT"), link.name)
        there, here = link.inner[4]
        there6, here6 = link.inner[6]
        quoted = innerpkt.udp(there, here, 9, 9, b"12345678")
        body = struct.pack(">BBHI", 3, 1, 0, 0) + quoted
        good = [
            innerpkt.ipv4(
                here,
                there,
                innerpkt.ICMP,
                body[:2] + struct.pack(">H", innerpkt.checksum(body)) + body[4:],
            ),
            innerpkt.ipv4(here, there, innerpkt.GRE, bytes(4) + b"inner gre"),
            innerpkt.udp(here, there, 51820, 51820, link.peer.initiation()[0]),
            innerpkt.ipv4(here, there, 200, b""),
            innerpkt.ipv6(here6, there6, 59, b""),
            innerpkt.ipv4(here, there, innerpkt.UDP, bytes(16), fragment=0x2000),
            innerpkt.ipv6(here6, there6, 44, bytes(16)),
            innerpkt.ipv4(here, "10.99.0.1", innerpkt.UDP, bytes(16)),
            innerpkt.udp(here, there, 9, 9, bytes(1392)),
        ]
        for packet in good:
            link.peer.send(link.peer.data(keys, packet))
        got = inside.take(outgoing=False, seconds=SHORT)
        for number, packet in enumerate(good):
            report.row(
                "inner-odd",
                packet in got,
                (
                    "ICMP error",
                    "GRE",
                    "WireGuard",
                    "IPv4 header alone",
                    "IPv6 header alone",
                    "IPv4 fragment",
                    "IPv6 fragment",
                    "foreign destination",
                    "1420 bytes",
                )[number]
                + " inside: delivered unchanged",
            )
        link.peer.drain(SHORT)
        with link.user() as user, link.user(6) as user6:
            user.sendto(b"x", (here[:-1] + "77", 9))
            user6.sendto(b"x", (here6[:-1] + "77", 9))
            user.sendto(b"x", (link.inner[4][1], 9))
        packets = [link.read(p, keys) for p in link.peer.drain(SHORT) if p.kind == DATA]
        allowed = [p for p in packets if p[16:20] == innerpkt.packed(here)]
        report.row(
            "inner-target",
            len(packets) == len(allowed) == 1,
            "a destination outside AllowedIPs is not sent",
            len(packets),
        )


def ecn(report: Report) -> None:
    """Congestion marks, all 16 pairs"""
    wanted = {(inner, mark): inner for inner in range(4) for mark in range(4)}
    wanted.update({(2, 1): 1, (2, 3): 3, (1, 3): 3})
    for family in (4, 6):
        with Link(65 + family, family=family) as link:
            keys = link.connect()
            for inside in (4, 6):
                user = link.user(inside)
                level, name = (
                    (socket.IPPROTO_IP, socket.IP_TOS),
                    (socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
                )[inside == 6]
                link.peer.drain(SHORT)
                out = {}
                for mark in range(4):
                    user.setsockopt(level, name, 0xB8 | mark)
                    user.sendto(b"x", (link.inner[inside][1], 9))
                    packet = link.peer.expect(DATA, 0.5)
                    out[mark] = packet.tos if packet else None
                report.row(
                    "ecn",
                    out in ({0: 0, 1: 1, 2: 2, 3: 2}, {0: 0, 1: 1, 2: 2, 3: 3}),
                    f"outer IPv{family}, inner "
                    f"IPv{inside}: outer DSCP 0, outer ECN from inner",
                    out,
                    lacking=True,
                )
                bad = {}
                for (mark, outer_mark), right in wanted.items():
                    packet = link.datagram(b"y", user.getsockname()[1], inside, tos=0x48 | mark)
                    link.peer.send(link.peer.data(keys, packet), tos=outer_mark)
                    user.settimeout(0.5)
                    try:
                        _, control, _, _ = user.recvmsg(100, 100)
                        got = control[0][2][0]
                    except TimeoutError:
                        got = None
                    if got != 0x48 | right:
                        bad[mark, outer_mark] = got
                report.row(
                    "ecn",
                    not bad,
                    f"outer IPv{family}, inner IPv{inside}: all 16 pairs opened as RFC 6040 says, "
                    "none dropped",
                    bad,
                    lacking=True,
                )
            time.sleep(0.03)
            link.peer.send(link.peer.initiation()[0])
            packet = link.peer.expect(RESPONSE, 0.5)
            report.row(
                "ecn",
                packet and packet.tos == 0x88,
                f"a response over IPv{family} is marked AF41",
                packet and hex(packet.tos),
                lacking=True,
            )


GROUPS = [padding, inner_kinds, ecn]
