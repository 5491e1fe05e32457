"""The slow rules in real time: when keys are renewed, refused and wiped (paper, section 6).

Each group is a function with a daemon of its own; all run at the same time, the longest for nine
minutes.
usage: timers.py [GROUP…]
"""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from bb_handshake import kinds  # noqa: E402
from bb_load import Flood, ask  # noqa: E402
from bb_sessions import holds, takes  # noqa: E402
from wgcrypto import ZERO16, mac  # noqa: E402
from wgpeer import COOKIE, DATA, INITIATION, Keypair, Packet, RESPONSE  # noqa: E402
from wgrig import IS_VPND, Link, Report, env, outer, run_groups, udp_socket  # noqa: E402

SHORT = 0.3


def until_age(link: Link, keys: Keypair, age: float) -> list[Packet]:
    """What the daemon sends until its session has that age."""
    return link.peer.drain(max(0.0, age - keys.age()))


def acknowledge(link: Link, keys: Keypair) -> None:
    """A keepalive, so that the daemon does not miss an answer."""
    link.peer.send(link.peer.data(keys))


def begun_by_daemon(link: Link) -> Keypair:
    """A session with the daemon as initiator, at rest."""
    link.poke()
    keys = link.peer.accept(2)
    link.peer.expect(DATA, 1)
    acknowledge(link, keys)
    return keys


def give_up(report: Report) -> None:
    """One packet into a black hole"""
    with Link(100) as link:
        start = time.monotonic()
        link.poke(b"hopeless")
        got = link.peer.drain(125)
        last = got[-1].when - start
        report.row(
            "give-up",
            set(kinds(got)) == {INITIATION} and 18 <= len(got) <= 20 and 85 < last < 108,
            f"{len(got)} initiations, the last after {last:.1f} s, then silence",
            (set(kinds(got)), len(got)),
        )
        keys = link.connect()
        got = [p for p in link.peer.drain(SHORT) if p.kind == DATA and len(p.data) > 32]
        report.row("give-up", not got, "the staged packet was dropped with that", len(got))
        report.row("give-up", link.ping(keys), "a later start of the peer is answered, ping")


def endless(report: Report) -> None:
    """Steady traffic into a black hole"""
    with Link(101) as link:
        cookie, start, got, used = os.urandom(16), time.monotonic(), [], []
        while time.monotonic() - start < 150:
            link.poke()
            for packet in link.peer.drain(1):
                if not got:
                    hs = link.peer.read_initiation(packet.data)
                    link.peer.send(link.peer.cookie_reply(hs.remote, hs.mac1, cookie))
                    born = time.monotonic()
                else:
                    right = packet.data[-16:] == mac(cookie, packet.data[:-16])
                    used.append((packet.when - born, right, packet.data[-16:] == ZERO16))
                got.append(packet)
        report.row(
            "new-attempts",
            set(kinds(got)) == {INITIATION}
            and 27 <= len(got) <= 31
            and got[-1].when - start > 143,
            f"{len(got)} initiations in 150 s, no end",
            len(got),
        )
        gaps = [b.when - a.when for a, b in zip(got, got[1:])]
        report.row(
            "retry",
            min(gaps) > 4.98 and max(gaps) < 5.45,
            f"gaps of {min(gaps):.3f} to {max(gaps):.3f} s",
            gaps,
        )
        ages = [age for age, right, _ in used if right]
        report.row(
            "cookie-use",
            ages and 105 < max(ages) <= 120.1,
            f"a cookie is used up to the age of {max(ages or [0]):.1f} s",
        )
        report.row(
            "cookie-use", all(zero for age, _, zero in used if age > 120), "older, mac2 is zero"
        )


def endless_keepalive(report: Report) -> None:
    """A persistent keepalive into a black hole"""
    with Link(102, keepalive=20) as link:
        start = time.monotonic()
        got = link.peer.drain(150)
        report.row(
            "new-attempts",
            set(kinds(got)) == {INITIATION} and got[-1].when - start > 140,
            f"{len(got)} initiations in 150 s, the last after {got[-1].when - start:.1f} s",
            kinds(got),
        )


def rekey_begun_by_daemon(report: Report) -> None:
    """The initiator renews on sending after 120 s"""
    with Link(103) as link:
        keys = begun_by_daemon(link)
        until_age(link, keys, 118.8)
        link.poke()
        got = link.peer.drain(SHORT)
        report.row(
            "rekey-send", kinds(got) == [DATA], "sending at 119 s: no initiation", kinds(got)
        )
        acknowledge(link, keys)
        until_age(link, keys, 120.5)
        link.poke()
        packet = link.peer.expect(INITIATION, SHORT)
        if report.row("rekey-send", packet, "sending after 120.5 s: an initiation"):
            message, new = link.peer.response(link.peer.read_initiation(packet.data))
            link.peer.send(message)
            packet = link.peer.expect(DATA, SHORT)
            report.row(
                "rekey-send",
                packet and packet.receiver == new.local,
                "at once data or a keepalive on the new session",
            )
            report.row(
                "rekey-send",
                link.ping(new) and takes(link, keys, link.user()),
                "the old session is still taken",
            )


def rekey_begun_by_peer(report: Report) -> None:
    """The responder does not renew, and the end of a session"""
    with Link(104) as link:
        keys, user = link.connect(), link.user()
        seen = []
        for age in (119, 121, 150, 170, 178):
            seen += until_age(link, keys, age)
            link.poke()
            seen += link.peer.drain(SHORT)
            acknowledge(link, keys)
        report.row(
            "rekey-send",
            INITIATION not in kinds(seen),
            "as responder it sends at 119 to 178 s without an initiation",
            kinds(seen),
        )
        until_age(link, keys, 179.3)
        report.row("reject", takes(link, keys, user), "data at 179.3 s is delivered")
        acknowledge(link, keys)
        until_age(link, keys, 180.7)
        other = udp_socket(env("PEER"), outer("PEER", 4))
        link.peer.send(
            link.peer.data(keys, link.datagram(b"old or new", user.getsockname()[1])), sock=other
        )
        report.row("reject", not takes(link, keys, user), "data at 180.7 s is not")
        link.peer.drain()
        link.poke()
        packet = link.peer.expect(None, SHORT)
        report.row(
            "reject",
            packet and packet.kind == INITIATION,
            "a packet to send starts a handshake, at the old address",
            packet and packet.kind,
        )


def renew_on_receipt(report: Report) -> None:
    """The initiator renews on receiving after 165 s"""
    with Link(105) as link:
        keys = begun_by_daemon(link)
        seen = until_age(link, keys, 164.3)
        acknowledge(link, keys)
        seen += link.peer.drain(SHORT)
        report.row(
            "rekey-receive",
            not seen,
            "silent until 164.3 s, also after a keepalive then",
            kinds(seen),
        )
        until_age(link, keys, 165.5)
        for _ in range(3):
            acknowledge(link, keys)
        got = link.peer.drain(3)
        report.row(
            "rekey-receive",
            kinds(got) == [INITIATION],
            "keepalives at 165.5 s: one initiation",
            kinds(got),
        )


def renew_not_as_responder(report: Report) -> None:
    """The responder does not renew on receiving"""
    with Link(106) as link:
        keys = link.connect()
        until_age(link, keys, 170)
        for _ in range(3):
            acknowledge(link, keys)
        got = link.peer.drain(3)
        report.row(
            "rekey-receive", not got, "as responder, keepalives at 170 s: nothing", kinds(got)
        )


def mute(report: Report) -> None:
    """A peer that does not answer data"""
    with Link(107) as link:
        link.connect()
        link.peer.drain(SHORT)
        link.poke()
        first = link.peer.expect(DATA, 1).when
        link.peer.drain(7)
        link.poke()
        packet = link.peer.expect(INITIATION, 20)
        gap = packet.when - first if packet else 0.0
        report.row(
            "new-handshake",
            14.98 < gap < 15.45,
            f"an initiation {gap:.2f} s after the first unanswered packet",
        )


def idle(report: Report) -> None:
    """Nobody speaks without need"""
    with Link(108) as link:
        keys = link.connect()
        report.row("keepalive", link.ping(keys), "ping")
        got = link.peer.drain(100)
        report.row("keepalive", not got, "100 s of silence from an idle link", kinds(got))


def wipe(report: Report) -> None:
    """Keys are wiped 540 s after the last session"""
    with Link(109) as link, Link(110) as other:
        # As responder and as initiator.
        pairs = [(link, link.connect()), (other, begun_by_daemon(other))]
        found = [holds(each, keys.recv) for each, keys in pairs]
        if not IS_VPND or not all(found):
            print(
                f"     note wiping   no key in use is to be seen in memory ({found}); not checked",
                flush=True,
            )
        for each, keys in pairs:
            each.peer.drain(max(0.0, 535 - keys.age()))
        still = [holds(each, keys.recv) for each, keys in pairs]
        for each, keys in pairs:
            each.peer.drain(max(0.0, 543 - keys.age()))
        gone = [holds(each, keys.recv) or holds(each, keys.send) for each, keys in pairs]
        if IS_VPND and all(found):
            report.row(
                "wiping",
                not any(gone),
                "as responder and as initiator: no key is left in memory after 543 s",
                gone,
            )
        print(f"     note wiping   at 535 s the receiving keys were there: {still}", flush=True)
        for each, keys in pairs:
            report.row("wiping", not takes(each, keys, each.user()), "data on them is not taken")
            report.row("wiping", each.ping(each.connect()), "a new session works")


def old_cookie(report: Report) -> None:
    """A cookie ends with the secret"""
    with Link(111) as link:
        with Flood(link):
            message, hs = link.peer.initiation()
            packet = ask(link, message)
            cookie = link.peer.read_cookie_reply(packet.data, hs)
            packet = ask(link, link.peer.initiation(cookie=cookie)[0])
            report.row(
                "cookie-secret", packet and packet.kind == RESPONSE, "a fresh cookie is good"
            )
        link.peer.drain(130)
        with Flood(link):
            packet = ask(link, link.peer.initiation(cookie=cookie)[0])
            report.row(
                "cookie-secret",
                packet and packet.kind == COOKIE,
                "130 s later it is not",
                packet and packet.kind,
            )


def stopped(report: Report) -> None:
    """A daemon that slept for 200 s"""
    with Link(112) as link:
        keys = link.connect()
        report.row("suspend", link.ping(keys), "ping")
        link.process.send_signal(signal.SIGSTOP)
        time.sleep(200)
        link.process.send_signal(signal.SIGCONT)
        link.poke()
        got = link.peer.drain(1)
        report.row(
            "suspend",
            kinds(got) == [INITIATION],
            "the first thing it sends is an initiation",
            kinds(got),
        )


GROUPS = [
    give_up,
    endless,
    endless_keepalive,
    rekey_begun_by_daemon,
    rekey_begun_by_peer,
    renew_on_receipt,
    renew_not_as_responder,
    mute,
    idle,
    wipe,
    old_cookie,
    stopped,
]

if __name__ == "__main__":
    sys.exit(1 if run_groups(GROUPS, sys.argv[1:]) else 0)
