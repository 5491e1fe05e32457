"""Black-box groups for the handshake's messages, their pace and their limits.

Each group is a function with a daemon of its own, so that all run at the same time (see
blackbox.py).
"""

import os
import struct
import time

from wgcrypto import LOW_ORDER, Refused, high_bit, new_private
from wgpeer import DATA, Handshake, INITIATION, Packet, RESPONSE
from wgrig import Link, Report

# How long silence is waited for where an answer would take a millisecond.
SHORT = 0.15
GAP = 0.03


def kinds(packets: list[Packet]) -> list[int]:
    """The message types, for the text of a failed row."""
    return [packet.kind for packet in packets]


def reply(link: Link, message: bytes, seconds: float = SHORT) -> Packet | None:
    """What the daemon says to one message."""
    link.peer.send(message)
    return link.peer.recv(seconds)


def answered(link: Link, **fields: object) -> bool:
    """Whether an initiation with these fields gets a response."""
    time.sleep(GAP)
    packet = reply(link, link.peer.initiation(**fields)[0])
    return packet is not None and packet.kind == RESPONSE


def pending(link: Link, seconds: float = 6.0) -> tuple[Handshake, Packet]:
    """Makes the daemon send an initiation and opens it."""
    link.poke()
    packet = link.peer.expect(INITIATION, seconds)
    if packet is None:
        raise Refused("no initiation from the daemon")
    return link.peer.read_initiation(packet.data), packet


def first_message(report: Report) -> None:
    """Message 1 as the responder sees it"""
    with Link(10) as link:
        good = link.peer.initiation()[0]
        bad = [good[:-1], good + b"\0"] + [
            link.peer.initiation(reserved=1 << n)[0] for n in range(24)
        ]
        for message in bad:
            link.peer.send(message)
        report.row(
            "sizes",
            not (got := link.peer.drain(SHORT)),
            "initiation a byte too long, too short, or with any " "reserved bit set: silence",
            kinds(got),
        )
        report.row("handshake", answered(link), "a right initiation is answered")
        for name, point in LOW_ORDER.items():
            silent = not answered(link, ephemeral_point=point) and not answered(
                link, ephemeral_point=high_bit(point)
            )
            report.row(
                "small-order",
                silent,
                f"ephemeral {name} of small order, also with the high bit: silence",
            )
        stamp = link.peer.stamp()
        seconds, nanoseconds = struct.unpack(">QI", stamp)
        later = struct.pack(">QI", seconds, (nanoseconds + 1) % 10**9)
        report.row(
            "timestamp", answered(link, timestamp=stamp), "first use of a timestamp: answered"
        )
        report.row("timestamp", not answered(link, timestamp=stamp), "the same timestamp: silence")
        report.row(
            "timestamp",
            not answered(link, timestamp=struct.pack(">QI", seconds - 1, nanoseconds)),
            "a lower timestamp: silence",
        )
        report.row("timestamp", answered(link, timestamp=later), "1 ns more: answered")
        time.sleep(1)
        pair = [link.peer.initiation()[0] for _ in range(2)]
        link.peer.send(pair[0])
        time.sleep(0.005)
        link.peer.send(pair[1])
        report.row(
            "flood",
            kinds(got := link.peer.drain(SHORT)) == [RESPONSE],
            "two rising stamps 5 ms apart: one response",
            kinds(got),
        )
        start = time.monotonic()
        for _ in range(100):
            link.peer.send(link.peer.initiation()[0])
            time.sleep(0.01)
        most = 50 * (time.monotonic() - start) + 2
        count = kinds(link.peer.drain(SHORT)).count(RESPONSE)
        report.row(
            "flood",
            most / 2 <= count <= most,
            f"100 rising stamps, 10 ms apart: {count} responses, at most {most:.0f}",
        )
        indices = []
        for _ in range(150):
            time.sleep(0.022)
            packet = reply(link, link.peer.initiation()[0], 0.5)
            if packet and packet.kind == RESPONSE:
                indices.append(struct.unpack_from("<I", packet.data, 4)[0])
        ones = zeros = 0
        for index in indices:
            ones, zeros = ones | index, zeros | ~index
        rising = sum(a < b for a, b in zip(indices, indices[1:]))
        report.row(
            "indices",
            len(indices) > 140
            and ones & zeros & 0xFFFFFFFF == 0xFFFFFFFF
            and 30 < rising < 120
            and len(set(indices)) == len(indices),
            "sender indices of 150 handshakes: no constant bit, no order",
            (len(indices), hex(ones & zeros & 0xFFFFFFFF), rising),
        )
        keys = link.connect(ephemeral=new_private())
        report.row("handshake", link.ping(keys), "ping over the last session")


def cpu_nanoseconds(pid: int) -> int:
    """CPU time of all threads of a process."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total


def cheap_mac1(report: Report) -> None:
    """A wrong mac1 costs no DH"""
    with Link(11) as link:
        bad = link.peer.initiation(mac1=os.urandom(16))[0]
        noise = os.urandom(148)
        cost = {}
        for name, message in (("warm", bad), ("noise", noise), ("mac1", bad)):
            before = cpu_nanoseconds(link.process.pid)
            for i in range(10000):
                link.peer.sock.sendto(message, link.peer.remote)
                if i % 100 == 99:
                    time.sleep(0.002)
            time.sleep(0.2)
            cost[name] = (cpu_nanoseconds(link.process.pid) - before) / 1e6
        report.row(
            "mac1",
            cost["mac1"] < 2 * cost["noise"] + 50,
            "10,000 wrong mac1 cost about what noise costs: "
            f"{cost['mac1']:.0f} ms and {cost['noise']:.0f} ms",
        )
        report.row("mac1", not (got := link.peer.drain(SHORT)), "and none is answered", kinds(got))


def preshared(report: Report) -> None:
    """The preshared key"""
    with Link(12, psk=b"k" * 32) as link:
        hs, _ = pending(link)
        link.peer.send(link.peer.response(hs, psk=b"w" * 32)[0])
        report.row(
            "psk",
            not (got := link.peer.drain(0.5)),
            "daemon as initiator, wrong PSK: no data message",
            kinds(got),
        )
        message, keys = link.peer.response(hs)
        link.peer.send(message)
        packet = link.peer.expect(DATA, 0.5)
        report.row(
            "psk",
            packet and link.peer.read_data(keys, packet.data)[0] == 0,
            "the right response to the same initiation still completes it",
        )
        link.peer.psk = b"w" * 32
        message, hs = link.peer.initiation()
        packet = reply(link, message, 0.5)
        report.row(
            "psk", packet and packet.kind == RESPONSE, "daemon as responder, wrong PSK: it answers"
        )
        try:
            link.peer.read_response(hs, packet.data)
            report.row("psk", False, "the response must not open with the wrong PSK")
        except Refused as error:
            report.row(
                "psk",
                str(error).startswith("empty"),
                "the response does not open with the wrong PSK",
                error,
            )
        link.peer.psk = b"k" * 32
        report.row("psk", link.ping(link.connect()), "the right PSK as initiator: ping")


def retries(report: Report) -> None:
    """Initiations into silence"""
    # An offer of other ciphers would be in the stamps: with the baseline they are a stock peer's.
    with Link(13, cipher="chacha20-poly1305") as link:
        user = link.user()
        seen: list[Packet] = []
        start = time.monotonic()
        while time.monotonic() - start < 17 and len(seen) < 4:
            user.sendto(b"flood", (link.inner[4][1], 9))
            packet = link.peer.recv(0.05)
            if packet:
                seen.append(packet)
        report.row(
            "pace",
            set(kinds(seen)) == {INITIATION} and len(seen) == 4,
            "20 packets a second without a peer: " "only initiations",
            kinds(seen),
        )
        gaps = [b.when - a.when for a, b in zip(seen, seen[1:])]
        text = " ".join(f"{gap:.3f}" for gap in gaps)
        report.row(
            "retry", all(4.99 <= gap <= 5.42 for gap in gaps), f"gaps of 5.0 to 5.4 s: {text}"
        )
        report.row("retry", len({round(gap, 3) for gap in gaps}) > 1, "the gaps differ", text)
        opened = [link.peer.read_initiation(packet.data) for packet in seen]
        stamps = [hs.timestamp for hs in opened]
        report.row(
            "retry",
            len({hs.remote for hs in opened})
            == len({hs.their_ephemeral for hs in opened})
            == len({hs.timestamp for hs in opened})
            == len(opened)
            and stamps == sorted(stamps),
            "each has a new index and ephemeral and a rising stamp",
        )
        fields = [struct.unpack(">QI", stamp) for stamp in stamps]
        report.row(
            "own-stamp",
            all(ns % 2**24 == 0 and ns < 10**9 for _, ns in fields),
            "the low 24 bits of the nanoseconds are zero",
            fields,
        )
        drift = fields[-1][0] - 2**62 - 10 - time.time()
        report.row("own-stamp", -2 < drift < 1, "the seconds are 2^62 + 10 + now", drift)
        report.row(
            "ecn",
            seen[0].tos == 0x88,
            "initiations are marked AF41 (0x88)",
            hex(seen[0].tos),
            lacking=True,
        )
        link.peer.send(link.peer.response(opened[-2])[0])
        report.row(
            "response",
            not [p for p in link.peer.drain(SHORT) if p.kind == DATA],
            "a response to an earlier retry is ignored",
        )
        message, keys = link.peer.response(opened[-1])
        link.peer.send(message)
        packet = link.peer.expect(DATA, 0.5)
        report.row(
            "initiator",
            packet
            and packet.receiver == keys.local
            and packet.counter == 0
            and link.peer.read_data(keys, packet.data),
            "a response to the last one: data to our index, counter 0",
        )
        link.peer.drain(SHORT)
        for again in (message, link.peer.response(opened[-1])[0]):
            link.peer.send(again)
        link.peer.drain(SHORT)
        user.sendto(b"more", (link.inner[4][1], 9))
        packet = link.peer.expect(DATA, 0.5)
        report.row(
            "response",
            packet and packet.receiver == keys.local,
            "the response again, or another one to the same " "initiation, changes nothing",
        )
        report.row("initiator", link.ping(keys), "ping over the session")


def after_response(report: Report) -> None:
    """No initiation within 5 s after a response, and key confirmation"""
    with Link(14) as link:
        user = link.user()
        message, hs = link.peer.initiation()
        packet = reply(link, message, 1)
        start = packet.when
        keys = link.peer.read_response(hs, packet.data)
        seen = []
        while not seen and time.monotonic() - start < 7:
            user.sendto(b"x", (link.inner[4][1], 9))
            seen += link.peer.drain(0.2)
        report.row(
            "confirmation",
            kinds(seen) == [INITIATION],
            "an unconfirmed session carries nothing",
            kinds(seen),
        )
        gap = seen[0].when - start if seen else 0.0
        report.row(
            "pace", 4.99 <= gap <= 5.6, f"first own initiation {gap:.2f} s after the response"
        )
        link.peer.drain(SHORT)
        message, hs = link.peer.initiation()
        keys = link.peer.read_response(hs, reply(link, message, 1).data)
        for i in range(20):
            user.sendto(b"staged %d" % i, (link.inner[4][1], 9))
        got = link.peer.drain(0.5)
        report.row(
            "confirmation",
            not [p for p in got if p.kind == DATA],
            "a new unconfirmed session carries nothing",
            kinds(got),
        )
        link.peer.send(link.peer.data(keys))
        texts = [link.read(p, keys)[28:] for p in link.peer.drain(0.3) if p.kind == DATA]
        report.row(
            "confirmation",
            texts[-20:] == [b"staged %d" % i for i in range(20)],
            "after our keepalive the staged packets arrive in order",
            texts[-20:],
        )


GROUPS = [first_message, cheap_mac1, preshared, retries, after_response]
