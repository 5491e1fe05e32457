"""Black-box groups for a daemon under load: cookies and limits (paper, sections 5.3 and 5.4.7).

They need the machine's speed, so they run one after the other. vpnd is under load from when
handshake messages with a right mac1 come faster than 128 in a second until one second after;
another daemon may need more than that, and the floods here are larger.
"""

import os
import random
import socket
import struct
import threading
import time

import innerpkt
from wgcrypto import Refused, ZERO16, mac
from wgpeer import COOKIE, DATA, INITIATION, Packet, RESPONSE, head
from wgrig import IS_VPND, Link, Report, env, outer, raw_send, udp_socket

RATE = 600 if IS_VPND else 30000
SHORT = 0.2


class Flood:
    """Junk initiations with a right mac1 from a stranger, at a steady rate, for as long as the
    block runs.
    """

    def __init__(self, link: Link, rate: int = RATE) -> None:
        self.link, self.rate = link, rate
        self.sock = udp_socket(env("PEER"), outer("THIRD", link.family))
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        junk = [
            self.link.peer.macs(head(INITIATION, 0) + os.urandom(112), cookie=ZERO16)
            for _ in range(500)
        ]
        start, sent = time.monotonic(), 0
        while not self.ended.wait(0.005):
            while sent < (time.monotonic() - start) * self.rate:
                self.sock.sendto(junk[sent % len(junk)], self.link.peer.remote)
                sent += 1

    def __enter__(self) -> "Flood":
        self.thread.start()
        time.sleep(1.2)
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def replies(self) -> list[int]:
        """The lengths of what the stranger got back."""
        sizes = []
        self.sock.setblocking(False)
        try:
            while True:
                sizes.append(len(self.sock.recv(2048)))
        except BlockingIOError:
            return sizes


def ask(link: Link, message: bytes, sock: socket.socket | None = None) -> Packet | None:
    """The daemon's answer to one message."""
    time.sleep(0.03)
    link.peer.send(message, sock=sock)
    return link.peer.recv(SHORT, sock)


def cookies(report: Report) -> None:
    """Under load"""
    for family in (4, 6):
        with Link(80 + family, family=family) as link:
            packet = ask(link, link.peer.initiation(mac2=os.urandom(16))[0])
            report.row(
                "under-load",
                packet and packet.kind == RESPONSE,
                f"IPv{family}, idle: a wrong mac2 is not looked at",
            )
            keys = link.connect()
            with Flood(link) as flood:
                message, hs = link.peer.initiation()
                first = ask(link, message)
                if not report.row(
                    "cookie",
                    first and first.kind == COOKIE and len(first.data) == 64,
                    "under load: an " "initiation without mac2 gets a cookie reply of 64 bytes",
                    first and first.kind,
                ):
                    return
                cookie = link.peer.read_cookie_reply(first.data, hs)
                report.row(
                    "cookie-secret",
                    len(cookie) == 16,
                    "the reply opens with our mac1 and the daemon's public key",
                )
                message, hs2 = link.peer.initiation(mac2=os.urandom(16))
                packet = ask(link, message)
                report.row(
                    "cookie", packet and packet.kind == COOKIE, "so does one with a wrong mac2"
                )
                report.row(
                    "cookie-secret",
                    packet and packet.data[8:32] != first.data[8:32],
                    "with a new nonce",
                )
                report.row(
                    "cookie-secret",
                    packet and link.peer.read_cookie_reply(packet.data, hs2) == cookie,
                    "and the same cookie",
                )
                body = head(RESPONSE, 0) + os.urandom(56)
                packet = ask(link, link.peer.macs(body, cookie=ZERO16))
                report.row(
                    "cookie",
                    packet
                    and packet.kind == COOKIE
                    and packet.receiver == struct.unpack_from("<I", body, 4)[0],
                    "a response with a right mac1 gets one too, to its sender's index",
                    packet and packet.kind,
                )
                packet = ask(link, link.peer.initiation(mac1=os.urandom(16))[0])
                report.row(
                    "cookie", packet is None, "a wrong mac1 gets nothing", packet and packet.kind
                )
                other = udp_socket(env("PEER"), outer("PEER", family))
                packet = ask(link, link.peer.initiation(cookie=cookie)[0], other)
                report.row(
                    "cookie-secret",
                    packet and packet.kind == COOKIE,
                    "the cookie is useless from another port",
                    packet and packet.kind,
                )
                message, hs = link.peer.initiation(cookie=cookie)
                packet = ask(link, message)
                if report.row(
                    "cookie",
                    packet and packet.kind == RESPONSE,
                    "with the right mac2: a response",
                    packet and packet.kind,
                ):
                    new = link.peer.read_response(hs, packet.data)
                    report.row("cookie", link.ping(new), "and the session works under load")
                    keys = new
                time.sleep(0.5)
                start, good = time.monotonic(), 0
                for _ in range(40):
                    link.peer.send(link.peer.initiation(cookie=cookie)[0])
                    time.sleep(0.025)
                good = [p.kind for p in link.peer.drain(SHORT)].count(RESPONSE)
                most = 5 + 20 * (time.monotonic() - start) + 2
                report.row(
                    "rate",
                    5 <= good <= most,
                    f"40 a second with the right mac2: {good} answered, at most {most:.0f}",
                )
                time.sleep(0.5)
                report.row("cookie", link.ping(keys), "ping during the flood")
            sizes = flood.replies()
            report.row(
                "cookie",
                set(sizes) <= {64} and sizes,
                f"the flooder got nothing but 64-byte replies ({len(sizes)})",
                sorted(set(sizes)),
            )
            time.sleep(1.6)
            packet = ask(link, link.peer.initiation()[0])
            report.row(
                "under-load",
                packet and packet.kind == RESPONSE,
                "the load ends: answered without mac2 1.6 s after",
                packet and packet.kind,
            )


def patient_connect(link: Link, seconds: float) -> float | None:
    """What a good initiator does under load: retries with the cookie; how long it took."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        message, hs = link.peer.initiation()
        link.peer.send(message)
        packet = link.peer.expect(None, 5.2)
        if packet is None:
            continue
        if packet.kind == COOKIE:
            link.peer.cookie = link.peer.read_cookie_reply(packet.data, hs)
            # The next try comes with the retry timer of 5 s; half a second is enough to show the
            # same.
            time.sleep(0.5)
        elif packet.kind == RESPONSE:
            link.keys = link.peer.read_response(hs, packet.data)
            return time.monotonic() - start
    return None


def spoofed_flood(report: Report) -> None:
    """A flood from thousands of senders"""
    with Link(90) as link:
        junk = link.peer.macs(head(INITIATION, 0) + os.urandom(112), cookie=ZERO16)
        dut, port = link.peer.remote[:2]
        ended = threading.Event()
        before = link.memory()

        def flood() -> None:
            rng = random.Random(40)
            while not ended.wait(0.02):
                for _ in range(RATE // 50):
                    source = (
                        f"198.{rng.choice((18, 19))}.{rng.randrange(256)}.{rng.randrange(256)}"
                    )
                    raw_send(
                        env("PEER"),
                        innerpkt.udp(source, dut, rng.randrange(1024, 65536), port, junk),
                    )

        thread = threading.Thread(target=flood)
        thread.start()
        time.sleep(1.5)
        try:
            took = patient_connect(link, 10.7)
            report.row(
                "many-senders",
                took is not None,
                f"a peer that takes its cookie connects in {took or 0:.2f} s",
            )
            report.row("many-senders", took is not None and link.ping(), "and its link works")
        finally:
            ended.set()
            thread.join()
        after = link.memory()
        report.row(
            "many-senders",
            after - before < 2048 or link.sanitized(),
            "memory is bounded",
            f"{before} KiB, then {after}",
            lacking=True,
        )
        lines = link.log_text().count("\n")
        report.row("many-senders", lines < 30, "the log stays short", lines)


def many_initiations(report: Report) -> None:
    """200 right initiations a second by the peer itself"""
    with Link(91) as link:
        start, sent = time.monotonic(), 0
        while sent < 400:
            link.peer.send(link.peer.initiation()[0])
            sent += 1
            time.sleep(max(0.0, start + sent / 200 - time.monotonic()))
        got = [packet.kind for packet in link.peer.drain(SHORT)]
        seconds = time.monotonic() - start
        report.row(
            "flood",
            got.count(RESPONSE) <= 50 * seconds + 2,
            "400 initiations at 200 a second: at most 50 responses "
            f"a second ({got.count(RESPONSE)} in {seconds:.1f} s, {got.count(COOKIE)} cookies)",
        )
        time.sleep(1.6)
        link.peer.drain()
        try:
            report.row("flood", link.ping(link.connect()), "after that the link works")
        except Refused as error:
            report.row("flood", False, "after that the link works", error)


def own_cookie(report: Report) -> None:
    """The daemon as initiator towards a peer under load that wants a cookie"""
    with Link(92) as link:
        link.poke()
        packet = link.peer.expect(INITIATION, 1)
        hs = link.peer.read_initiation(packet.data)
        # Forged replies for each initiation, by somebody who sees nothing but the port.
        for _ in range(50):
            link.peer.send(
                link.peer.cookie_reply(random.getrandbits(32), os.urandom(16), os.urandom(16))
            )
        cookie = os.urandom(16)
        link.peer.send(link.peer.cookie_reply(hs.remote, hs.mac1, cookie))
        packet = link.peer.expect(INITIATION, 6)
        report.row(
            "cookie-forged",
            packet and packet.data[-16:] == mac(cookie, packet.data[:-16]),
            "50 forged cookie replies, then the true one: mac2 is right",
        )
        message, keys = link.peer.response(link.peer.read_initiation(packet.data))
        link.peer.send(message)
        report.row(
            "cookie-forged",
            link.peer.expect(DATA, 0.5) and link.ping(keys),
            "the handshake completes",
        )


GROUPS = [cookies, spoofed_flood, many_initiations, own_cookie]
