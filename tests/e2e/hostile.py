"""Sends each row of hostile_handshake.py and hostile_data.py to a daemon with an established
link and looks what happens.

After each row: the link passes a ping, the daemon's host has sent nothing but the replies to our
pings, nothing but our pings came out of the tunnel, the stranger's socket has received nothing,
and the log has stayed quiet.
usage: hostile.py FAMILY [SEED]
"""

import os
import random
import sys
import time

import innerpkt
from hostile_data import DATA_ROWS
from hostile_handshake import HANDSHAKE_ROWS, PENDING
from hostile_make import Target
from wgcrypto import Refused, ZERO16
from wgpeer import DATA, INITIATION, Noise, RESPONSE
from wgrig import IS_VPND, Link, Report, Sniffer, env, outer, raw_send, udp_socket, until

CHUNK_BYTES, CHUNK_COUNT = 60_000, 40
HANDSHAKES_PER_SECOND = 60
# What Debian 12's wireguard-go gets wrong, so that the rest of the table can be proved with it.
REFERENCE_FAILS = (
    "inner IPv6, payload length beyond the data",
    "response, ephemerals of small order, all else right",
)


def fragments_lost(packet: bytes) -> bool:
    """Whether the kernel reports, 30 s late, that fragments are missing: the row "fragment"."""
    if packet[0] >> 4 == 4:
        return packet[9] == innerpkt.ICMP and packet[20:22] == b"\x0b\x01"
    return packet[6] == innerpkt.ICMP6 and packet[40:42] == b"\x03\x01"


class Stage:
    """The link, the captures, and the stranger's socket."""

    def __init__(self, link: Link, seed: int) -> None:
        self.link = link
        self.family = link.family
        self.outside = Sniffer(env("DUT"), env("DEV"))
        self.inside = Sniffer(env("DUT"), link.name)
        self.sent: list[bytes] = []
        self.through: list[bytes] = []
        self.third = udp_socket(env("PEER"), outer("THIRD", self.family), 5000)
        old = link.connect()
        for _ in range(3):
            link.connect()
        message, accepted = self.renew()
        self.target = Target(link, link.keys, old, random.Random(seed), message, accepted)
        self.checker = Noise(link.private, link.peer.public)

    def renew(self) -> tuple:
        """A fresh session, for the next rows."""
        time.sleep(0.03)
        message, accepted = self.link.peer.initiation()
        self.link.peer.send(message)
        packet = self.link.peer.expect(RESPONSE, 1)
        if packet is None:
            raise Refused("no response to the initiation that starts a row")
        self.link.keys = self.link.peer.read_response(accepted, packet.data)
        return message, accepted

    def ping(self) -> bool:
        """A ping, also a barrier: the daemon has seen everything that was sent before it."""
        return self.link.ping(timeout=1.0)

    def send(self, way: str, payload: bytes) -> None:
        """One hostile payload."""
        peer = self.link.peer
        if way == "raw":
            raw_send(env("PEER"), payload)
        elif way == "third":
            self.third.sendto(payload, peer.remote)
        elif way == "peer" or len(payload) > 1400:
            peer.sock.sendto(payload, peer.remote)
        else:
            host, port = peer.sock.getsockname()[:2]
            dut, dut_port = peer.remote[:2]
            raw_send(env("PEER"), innerpkt.udp(host, dut, port, dut_port, payload))

    def handshake_cost(self, payload: bytes) -> float:
        """Seconds to leave after a payload, so that the daemon is never under load and owes no
        cookies.
        """
        if len(payload) not in (148, 92):
            return 0.0
        try:
            self.checker.check_mac1(payload)
        except Refused:
            return 0.0
        return 1 / HANDSHAKES_PER_SECOND

    def attack(self, way: str, payloads: list[bytes]) -> tuple[int, int]:
        """Sends all, in bites that the daemon's socket can hold; how many pings were sent and
        came back.
        """
        sent = replies = size = count = 0
        for payload in payloads:
            self.send(way, payload)
            size, count = size + len(payload), count + 1
            if pause := self.handshake_cost(payload):
                time.sleep(pause)
            if size > CHUNK_BYTES or count == CHUNK_COUNT:
                sent, replies, size, count = sent + 1, replies + self.ping(), 0, 0
                self.look()
        return sent + 1, replies + self.ping()

    def look(self, seconds: float = 0.0) -> None:
        """Empties the captures before they overflow."""
        self.sent += self.outside.take(outgoing=True, seconds=seconds)
        self.through += self.inside.take(outgoing=False)

    def findings(
        self, pings: int, replies: int, lines: int, seconds: float, waiting: bool
    ) -> list[str]:
        """What is wrong after a row."""
        bad = []
        if replies != pings:
            bad.append(f"{pings - replies} of {pings} pings lost")
        self.look(0.02)
        home = innerpkt.packed(self.link.peer.sock.getsockname()[0])
        others, kinds = [], []
        for packet in self.sent:
            head = 20 if self.family == 4 else 40
            to = packet[16:20] if self.family == 4 else packet[24:40]
            if to == home and packet[9 if self.family == 4 else 6] == innerpkt.UDP:
                kinds.append(packet[head + 8])
            elif not fragments_lost(packet):
                others.append(packet[:64].hex())
        if waiting:
            kinds = [kind for kind in kinds if kind != INITIATION]
        if kinds != [DATA] * pings:
            bad.append(f"sent to the peer: types {kinds[:10]} ({len(kinds)}) for {pings} pings")
        if others:
            bad.append(f"sent to others: {others[:3]}")
        strange = [p for p in self.through if not innerpkt.is_echo_request(p)]
        if strange:
            bad.append(
                f"{len(strange)} packets came out of the tunnel, the first {strange[0][:40].hex()}"
            )
        if len(self.through) - len(strange) > pings:
            bad.append(
                f"{len(self.through) - len(strange)} echo requests came out for {pings} pings"
            )
        try:
            self.third.setblocking(False)
            bad.append(f"the stranger received {self.third.recv(2048)[:40].hex()}")
        except BlockingIOError:
            pass
        if lines > max(10.0, 10 * seconds):
            bad.append(f"{lines} log lines in {seconds:.1f} s")
        if not self.link.alive():
            bad.append("the daemon has ended")
        return bad

    def row(
        self, report: Report, rule: str, text: str, way: str, payloads: list[bytes], waiting: bool
    ) -> None:
        """One attack and its line in the report."""
        if not IS_VPND and text.startswith(REFERENCE_FAILS):
            return
        self.look()
        self.sent, self.through = [], []
        lines, start = self.link.log_text().count("\n"), time.monotonic()
        pings, replies = self.attack(way, payloads)
        seconds = time.monotonic() - start
        lines = self.link.log_text().count("\n") - lines
        bad = self.findings(pings, replies, lines, seconds, waiting)
        report.row(rule, not bad, f"{text} ({way}, {len(payloads)} sent)", "; ".join(bad))

    def descriptors(self) -> int:
        """How many files the daemon has open."""
        return len(os.listdir(f"/proc/{self.link.process.pid}/fd"))


def established(stage: Stage, report: Report) -> None:
    """All rows against a link that works."""
    for rule, text, ways, maker in HANDSHAKE_ROWS + DATA_ROWS:
        for way in ways:
            if stage.link.keys.age() > 50:
                stage.target.initiation, stage.target.accepted = stage.renew()
                stage.target.keys = stage.link.keys
            if not stage.ping():
                report.row(rule, False, text, "no ping before the row")
                stage.target.initiation, stage.target.accepted = stage.renew()
                stage.target.keys = stage.link.keys
                stage.ping()
            stage.row(report, rule, text, way, list(maker(stage.target)), False)


def waiting(stage: Stage, report: Report) -> None:
    """Rows while the daemon waits for the response to its own initiation; the old session still
    carries pings.
    """
    link, target = stage.link, stage.target
    target.initiation, target.accepted = stage.renew()
    target.keys = link.keys
    # The reply is data without an answer, which makes the daemon try a new handshake after 15 s.
    link.ping(settle=False)
    first = link.peer.expect(INITIATION, 17)
    if not report.row("new-handshake", first, "mute peer: the daemon starts a handshake"):
        return
    latest = first
    for rule, text, maker in PENDING:
        for way in ("third", "spoofed"):
            heard = [packet for packet in link.peer.drain() if packet.kind == INITIATION]
            latest = heard[-1] if heard else latest
            target.pending = link.peer.read_initiation(latest.data)
            stage.row(report, rule, text + ", awaited", way, list(maker(target)), True)
    latest = link.peer.expect(INITIATION, 6)
    if report.row("cookie-forged", latest, "the daemon tries again"):
        report.row(
            "cookie", latest.data[-16:] == ZERO16, "it has taken no cookie from the forged replies"
        )
        message, link.keys = link.peer.response(link.peer.read_initiation(latest.data))
        link.peer.send(message)
        report.row(
            "response",
            until(stage.ping, 2),
            "the true response completes it, ping over the new session",
        )


def main() -> int:
    """Runs both tables."""
    family = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().getrandbits(32)
    print(f"outer IPv{family}, seed {seed}")
    report = Report()
    with Link(1, family=family) as link:
        stage = Stage(link, seed)
        files, memory = stage.descriptors(), link.memory()
        established(stage, report)
        waiting(stage, report)
        report.row(
            "E0",
            stage.descriptors() <= files,
            "no file descriptor is left open",
            f"{files}, then {stage.descriptors()}",
        )
        report.row(
            "E0",
            link.memory() < memory + 4096 or not IS_VPND or link.sanitized(),
            "memory has not grown by 4 MiB",
            f"{memory} KiB, then {link.memory()}",
        )
        report.row("E0", link.stop() == 0, "the daemon ends well")
    print(f"{report.rows} rows, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
