"""What three threads mean for keys: each session key is in the daemon's memory exactly once, in
the thread that works with it, in every slot and after every move between the slots; and new
sessions come while a flood of handshake messages does.
"""

import sys
import time

import innerpkt
from bb_load import Flood, patient_connect
from bb_sessions import copies
from wgpeer import COOKIE, DATA, Handshake, INITIATION, Keypair
from wgrig import Link, Report, run_groups, until


def expect_once(report: Report, link: Link, keys: Keypair, what: str) -> None:
    """One copy of both halves in the daemon, none in its helpers."""
    for half, key in (("opens", keys.send), ("seals", keys.recv)):
        found = copies(link, key)
        if found is not None:
            report.row("keys", found == [1] + [0] * (len(found) - 1), f"{what}: {half}", found)


def expect_gone(report: Report, link: Link, keys: Keypair, what: str) -> None:
    """No copy any more, as soon as both loops have heard of it."""
    if copies(link, keys.recv) is None:
        return
    gone = until(lambda: not any(copies(link, keys.recv) + copies(link, keys.send)), 2)
    report.row("keys", gone, f"{what}: gone", (copies(link, keys.send), copies(link, keys.recv)))


def as_responder(report: Report) -> None:
    """Each session key is in memory once: the peer begins"""
    with Link(30) as link:
        first = link.connect(confirm=False)
        expect_once(report, link, first, "next, not confirmed")
        report.row("keys", link.ping(first), "ping")
        expect_once(report, link, first, "current")
        second = link.connect(confirm=False)
        expect_once(report, link, first, "current beside a next")
        expect_once(report, link, second, "next beside a current")
        report.row("keys", link.ping(second), "ping")
        expect_once(report, link, first, "previous")
        expect_once(report, link, second, "current beside a previous")
        third = link.connect()
        report.row("keys", link.ping(third), "ping")
        expect_gone(report, link, first, "dropped by the third session")
        expect_once(report, link, second, "previous")
        expect_once(report, link, third, "current")
        fourth = link.connect(confirm=False)
        fifth = link.connect(confirm=False)
        expect_gone(report, link, fourth, "next that the peer never used")
        expect_once(report, link, fifth, "next in its place")
        expect_once(report, link, third, "current")


def as_initiator(report: Report) -> None:
    """Each session key is in memory once: the daemon begins"""
    with Link(31) as link:
        link.poke()
        keys = link.peer.accept(2)
        link.keys = keys
        report.row("keys", link.peer.expect(DATA, 1), "the packet that waited comes")
        expect_once(report, link, keys, "current")
        report.row("keys", link.ping(keys), "ping")
        expect_once(report, link, keys, "current, used both ways")


def many_sessions(report: Report) -> None:
    """Forty sessions in a row with data in each: no counter begins anew, no key stays"""
    with Link(32) as link:
        sessions = []
        for _ in range(40):
            sessions.append(link.connect())
            link.peer.drain()
            seen = []
            for number in range(5):
                echo = innerpkt.echo(link.inner[4][1], link.inner[4][0], 7, number, bytes(8))
                link.peer.send(link.peer.data(sessions[-1], echo))
                packet = link.peer.expect(DATA, 1)
                if packet:
                    seen.append(packet.counter)
            if len(set(seen)) != 5:
                report.row("nonce", False, "answers with new counters in each session", seen)
                return
        report.row("nonce", True, "answers with new counters in each session")
        for keys in sessions[0:1] + sessions[-5:-2]:
            found = copies(link, keys.recv)
            if found is not None and any(found):
                expect_gone(report, link, keys, "an old session")
                return
        report.row("keys", True, "none of the old sessions' keys is in memory")


def rekey_in_flood(report: Report) -> None:
    """New sessions under a flood of 6,000 handshake messages a second, whoever begins"""
    with Link(33) as link:
        first = link.connect()
        with Flood(link, 6000):
            report.row("flood", link.ping(first), "the session goes on")
            for i in range(3):
                took = patient_connect(link, 10.7)
                report.row(
                    "flood",
                    took is not None and link.ping(),
                    f"new session {i + 1} after {took or 0:.2f} s",
                )
                time.sleep(0.05)
        link.stop()
        link.start()
        with Flood(link, 6000):
            link.poke()
            begun = time.monotonic()
            packet = link.peer.expect(INITIATION, 6)
            if report.row("flood", packet, "the daemon begins under the flood"):
                message, keys = link.peer.response(link.peer.read_initiation(packet.data))
                report.row(
                    "flood",
                    answer_under_load(link, message, keys) and link.ping(keys),
                    f"and has a session after {time.monotonic() - begun:.2f} s",
                )


def answer_under_load(link: Link, message: bytes, keys: Keypair) -> bool:
    """What a good responder does: the same response once more, with the cookie."""
    link.peer.send(message)
    packet = link.peer.expect(None, 1)
    if packet and packet.kind == COOKIE:
        sent = Handshake(b"", b"", local=keys.local, mac1=message[-32:-16])
        cookie = link.peer.read_cookie_reply(packet.data, sent)
        link.peer.send(link.peer.macs(message[:-32], cookie=cookie))
        packet = link.peer.expect(None, 1)
    return packet is not None and packet.kind == DATA


GROUPS = [as_responder, as_initiator, many_sessions, rekey_in_flood]


def main() -> int:
    """All groups, one by one: they look at memory, and at times."""
    failed = sum(run_groups([group], sys.argv[1:]) for group in GROUPS)
    print(f"{failed} rows failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
