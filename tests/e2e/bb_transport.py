"""Black-box groups for data messages: replay window, roaming, keepalives, staged packets.

Each group is a function with a daemon of its own, so that all run at the same time (see
blackbox.py).
"""

import os
import random
import signal
import socket
import subprocess
import time

import innerpkt
from wgcrypto import flip
from wgpeer import DATA, INITIATION, Keypair, Packet, RESPONSE
from wgrig import Link, Report, env, outer, udp_socket, until

SHORT = 0.15
LIMIT = 2**64 - 2**13 - 1
WINDOW = 8128


def numbers(user: socket.socket, seconds: float = 0.3) -> list[int]:
    """The counters that deliver() put into the packets which came through, in order of arrival."""
    out = []
    user.settimeout(seconds)
    try:
        while True:
            out.append(int(user.recv(100)))
    except TimeoutError:
        return out


def deliver(
    link: Link, keys: Keypair, user: socket.socket, counters: list[int], seconds: float = 0.3
) -> list[int]:
    """Sends data with these counters; which of them reached the user, in order of arrival."""
    out, port = [], user.getsockname()[1]
    for start in range(0, len(counters), 50):
        for counter in counters[start : start + 50]:
            link.peer.send(
                link.peer.data(keys, link.datagram(b"%d" % counter, port), counter=counter)
            )
        out += numbers(user, 0.03)
    return out + numbers(user, seconds)


def window(report: Report) -> None:
    """The replay window"""
    with Link(30) as link:
        user, keys = link.user(), link.connect()
        top = 20000
        report.row(
            "replay", deliver(link, keys, user, [top]) == [top], f"counter {top} out of the blue"
        )
        edge = [top - WINDOW, top - WINDOW - 1]
        report.row(
            "replay",
            (got := deliver(link, keys, user, edge)) == edge[:1],
            "max - 8128 is accepted, max - 8129 is not",
            got,
        )
        report.row(
            "replay",
            not (got := deliver(link, keys, user, [top, top - WINDOW])),
            "neither a second time",
            got,
        )
        forged = [
            flip(link.peer.data(keys, link.datagram(b"1", 9), counter=c), 400)
            for c in (2**40, LIMIT - 1)
        ]
        for message in forged:
            link.peer.send(message)
        report.row(
            "order",
            deliver(link, keys, user, [top - 1]) == [top - 1],
            "forged counters 2^40 and limit-1 do not " "move the window",
        )
        keys = link.connect()
        back = list(range(8128, -1, -1))
        report.row(
            "replay",
            sorted(got := deliver(link, keys, user, back)) == sorted(set(back) - {0})
            or sorted(got) == sorted(back),
            "8,129 counters in falling order (0 was the keepalive)",
            len(got),
        )
        seed = random.SystemRandom().getrandbits(32)
        rng = random.Random(seed)
        keys, seen, highest, wanted, sent = link.connect(), {0}, 0, [], []
        for _ in range(3000):
            counter = max(
                1,
                highest
                + rng.choice((1, 1, 2, rng.randrange(-9000, 3000), rng.randrange(-70, 70))),
            )
            sent.append(counter)
            if counter not in seen and highest - counter <= WINDOW:
                wanted.append(counter)
                seen.add(counter)
                highest = max(highest, counter)
        got = []
        for counter in sent:
            link.peer.send(
                link.peer.data(
                    keys, link.datagram(b"%d" % counter, user.getsockname()[1]), counter=counter
                )
            )
            if len(got) % 20 == 0:
                got += numbers(user, 0.002)
        got += numbers(user)
        report.row(
            "replay",
            sorted(got) == sorted(wanted),
            f"3,000 random counters against a plain set (seed {seed})",
            (len(got), len(wanted)),
        )
        report.row(
            "counter",
            (got := deliver(link, keys, user, [LIMIT, 2**64 - 1])) == [],
            "counters 2^64-2^13-1 and 2^64-1 are refused",
            got,
        )
        report.row(
            "counter",
            (got := deliver(link, keys, user, [LIMIT - 1])) == [LIMIT - 1],
            "the one below is taken",
            got,
        )


def where_to(link: Link, others: dict[str, socket.socket]) -> str:
    """Makes the daemon send and tells which socket got it."""
    # What was sent to the daemon before must have been dealt with before the poke makes it answer.
    link.wait_read()
    time.sleep(0.02)
    link.poke(bytes(333))
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        for name, sock in others.items():
            packet = link.peer.recv(0.005, sock)
            # The size tells it from what the daemon's kernel may have to say about earlier
            # packets.
            if packet and packet.kind == DATA and len(packet.data) == 32 + 368:
                return name
    return "nobody"


def moves_to(link: Link, others: dict[str, socket.socket], wanted: str) -> str:
    """As where_to(), for what moves it: the daemon asks the kernel about the way to a new address, which
    takes its time while other interfaces come and go."""
    end = time.monotonic() + 2
    while (to := where_to(link, others)) != wanted and time.monotonic() < end:
        pass
    return to


def roaming(report: Report) -> None:
    """Who moves the daemon's idea of the peer's address, and who does not"""
    for family in (4, 6):
        with Link(47 + family, family=family) as link:
            others = {
                name: udp_socket(env("PEER"), outer("THIRD" if name in "CE" else "PEER", family))
                for name in "BCDE"
            }
            others["A"] = link.peer.sock
            keys = link.connect()
            tell = f"over IPv{family}"
            report.row(
                "roaming", where_to(link, others) == "A", f"data goes to the peer at first {tell}"
            )
            old = link.peer.data(keys)
            link.peer.send(old)
            link.peer.send(link.peer.data(keys), sock=others["B"])
            report.row(
                "roaming",
                moves_to(link, others, "B") == "B",
                "a keepalive from another port moves it",
            )
            link.peer.send(link.peer.data(keys, link.datagram(b"x", 9)), sock=others["C"])
            report.row(
                "roaming", moves_to(link, others, "C") == "C", "data from another address moves it"
            )
            link.peer.send(
                flip(link.peer.data(keys, link.datagram(b"x", 9)), 300), sock=others["D"]
            )
            report.row(
                "roaming",
                (to := where_to(link, others)) == "C",
                "data with a wrong tag does not",
                to,
            )
            link.peer.send(old, sock=others["D"])
            report.row("order", (to := where_to(link, others)) == "C", "replayed data does not", to)
            link.peer.send(link.peer.data(keys, counter=2**64 - 1), sock=others["D"])
            report.row(
                "counter",
                (to := where_to(link, others)) == "C",
                "data with a counter over the limit does not",
                to,
            )
            bad = innerpkt.udp("10.99.0.1", link.inner[4][0], 9, 9, b"outside AllowedIPs")
            link.peer.send(link.peer.data(keys, bad), sock=others["D"])
            report.row(
                "inner-source",
                (to := moves_to(link, others, "D")) == "D",
                "valid data with a forbidden inner source does",
                to,
            )
            time.sleep(0.03)
            message, hs = link.peer.initiation()
            link.peer.send(message, sock=others["E"])
            packet = link.peer.expect(RESPONSE, 0.5, others["E"])
            report.row(
                "roaming",
                packet and (to := moves_to(link, others, "E")) == "E",
                "a valid initiation does",
                to,
            )
            link.peer.send(message, sock=others["B"])
            report.row(
                "roaming",
                packet and (to := where_to(link, others)) == "E",
                "a replayed one does not",
                to,
            )
            if packet:
                keys = link.peer.read_response(hs, packet.data)
            link.peer.send(link.peer.data(keys))
            report.row(
                "roaming",
                (to := moves_to(link, others, "A")) == "A",
                "and back with the new session",
                to,
            )
            for i in range(100):
                link.peer.send(link.peer.data(keys), sock=others["BC"[i % 2]])
            report.row("two-peers", link.ping(keys), "100 changes of address, then a ping")
            time.sleep(0.05)
            lines = link.log_text().count("\n")
            report.row("two-peers", lines < 40, "the log stays short", lines)
        with Link(48 + family, family=family) as link:
            link.poke()
            packet = link.peer.expect(INITIATION, 1)
            sock = udp_socket(env("PEER"), outer("THIRD", family))
            message, keys = link.peer.response(link.peer.read_initiation(packet.data))
            link.peer.send(message, sock=sock)
            packet = link.peer.expect(DATA, 0.5, sock)
            report.row(
                "roaming",
                packet and packet.receiver == keys.local,
                "a response from another address moves it",
            )


def local_address(report: Report) -> None:
    """The daemon answers from the address that the peer spoke to"""
    for family in (4, 6):
        extra = "192.0.2.101" if family == 4 else "2001:db8:1::101"
        change = ["ip", "-n", env("DUT"), "address"]
        bits = f"{extra}/{24 if family == 4 else 64}"
        subprocess.run(
            [*change, "replace", bits, "dev", env("DEV")] + ["nodad"] * (family == 6), check=True
        )
        with Link(55 + family, family=family) as link:
            link.peer.remote = (extra, link.port)
            message, hs = link.peer.initiation()
            link.peer.send(message)
            packet = link.peer.expect(RESPONSE, 1)
            report.row(
                "source",
                packet and packet.source[0] == extra,
                f"the response comes from the address asked, {extra}",
                packet and packet.source,
            )
            keys = link.peer.read_response(hs, packet.data)
            link.peer.send(link.peer.data(keys))
            link.poke()
            packet = link.peer.expect(DATA, 0.5)
            report.row(
                "source",
                packet and packet.source[0] == extra,
                "so does data",
                packet and packet.source,
            )
            unrelated = ["ip", "-n", env("DUT")]
            subprocess.run(
                [*unrelated, "tuntap", "add", "dev", "elsewhere", "mode", "tun"], check=True
            )
            subprocess.run(
                [*unrelated, "address", "add", "10.77.0.1/24", "dev", "elsewhere"], check=True
            )
            subprocess.run([*unrelated, "link", "set", "elsewhere", "up"], check=True)
            link.peer.drain(SHORT)
            link.poke()
            packet = link.peer.expect(DATA, 0.5)
            subprocess.run([*unrelated, "link", "del", "elsewhere"], check=True)
            report.row(
                "source",
                packet and packet.source[0] == extra,
                "so does data after a change of another interface",
                packet and packet.source,
            )
            subprocess.run([*change, "del", bits, "dev", env("DEV")], check=True)
            got: list[Packet] = []
            until(lambda: (link.poke(), got.extend(link.peer.drain(0.1)), got)[2], 2)
            report.row(
                "source",
                got and got[0].source[0] == outer("DUT", family),
                "with that address deleted it sends from another one",
                got and got[0].source,
                lacking=family == 4,
            )
            link.peer.remote = (outer("DUT", family), link.port)
            report.row("source", link.ping(keys), "ping to the other address")


def passive(report: Report) -> None:
    """The passive keepalive"""
    with Link(43) as link:
        user, keys = link.user(), link.connect()
        link.peer.drain(SHORT)
        start = time.monotonic()
        message = lambda: link.peer.data(keys, link.datagram(b"one way", user.getsockname()[1]))
        link.peer.send(message())
        got = link.peer.drain(5)
        link.peer.send(message())
        got += link.peer.drain(18)
        times = [packet.when - start for packet in got]
        text = " ".join(f"{t:.2f}" for t in times)
        kinds = [(p.kind, len(p.data)) for p in got]
        report.row(
            "keepalive",
            set(kinds) == {(DATA, 32)} and 9.9 < times[0] < 10.5,
            "data at 0 and 5 s: a keepalive at 10 s " f"({text})",
            kinds,
        )
        # The kernel means to send a second one 10 s later; there, sending the first cancels it.
        report.row(
            "keepalive",
            len(got) == 1 or len(got) == 2 and 19.9 < times[1] < 20.9,
            "nothing more but at most one at " "20 s",
            text,
        )
        link.peer.send(link.peer.data(keys))
        report.row(
            "keepalive", not (got := link.peer.drain(11)), "none because of a keepalive", len(got)
        )


def passive_batch(report: Report) -> None:
    """The passive keepalive for data that the daemon reads at once"""
    with Link(25) as link:
        user, keys = link.user(), link.connect()
        link.peer.drain(SHORT)
        for pid in link.processes():
            os.kill(pid, signal.SIGSTOP)
        for _ in range(2):
            link.peer.send(
                link.peer.data(keys, link.datagram(b"one way", user.getsockname()[1]))
            )
        for pid in link.processes():
            os.kill(pid, signal.SIGCONT)
        start = time.monotonic()
        times = [packet.when - start for packet in link.peer.drain(21)]
        text = " ".join(f"{t:.2f}" for t in times)
        report.row(
            "keepalive",
            len(times) == 2 and 9.9 < times[0] < 10.5 and 19.9 < times[1] < 20.9,
            "two packets at once: a keepalive at 10 s, and another at 20 s",
            text,
            lacking=True,
        )


def staged(report: Report) -> None:
    """300 packets into a black hole, then a session"""
    for role in ("initiator", "responder"):
        with Link(46 if role == "initiator" else 47) as link:
            user = link.user()
            for i in range(300):
                user.sendto(b"%d" % i, (link.inner[4][1], 9))
            # The daemon must have read all from its interface before the session is there.
            time.sleep(0.3)
            if role == "initiator":
                keys = link.peer.accept(1)
            else:
                link.peer.drain(SHORT)
                keys = link.connect()
            got = [
                int(link.read(p, keys)[28:])
                for p in link.peer.drain(0.3)
                if p.kind == DATA and len(p.data) > 32
            ]
            report.row(
                "staged",
                got in (list(range(172, 300)), list(range(171, 300))),
                f"300 packets staged, the daemon as {role}: the newest 128 in order",
                (len(got), got[:3], got[-3:]),
            )


GROUPS = [window, roaming, local_address, passive, passive_batch, staged]
