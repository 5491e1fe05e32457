"""Black-box groups for sessions: key slots, cookies, and what restarts and mad clocks do.

Each group is a function with a daemon of its own, so that all run at the same time (see
blackbox.py).
"""

import base64
import os
import time

from bb_handshake import GAP, SHORT, answered, kinds, pending, reply
from wgcrypto import ZERO16, mac, new_private, public_of, tai64n
from wgpeer import COOKIE, DATA, INITIATION, Keypair, Noise, RESPONSE
from wgrig import IS_VPND, Link, Report, env, outer, udp_socket


def takes(link: Link, keys: Keypair, user: object) -> bool:
    """Whether the daemon delivers data of a session."""
    link.peer.send(link.peer.data(keys, link.datagram(b"old or new", user.getsockname()[1])))
    user.settimeout(SHORT)
    try:
        return user.recv(100) == b"old or new"
    except TimeoutError:
        return False


def _copies(pid: int, key: bytes) -> int:
    count = 0
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(
        f"/proc/{pid}/mem", "rb", 0
    ) as memory:
        for line in maps:
            first, last = (int(part, 16) for part in line.split()[0].split("-"))
            if last - first > 2**28 or "[v" in line:
                continue
            try:
                memory.seek(first)
                count += memory.read(last - first).count(key)
            except OSError:
                continue
    return count


def copies(link: Link, key: bytes) -> list[int] | None:
    """How often a key is in the memory of the daemon and of each helper; None when unreadable."""
    if link.sanitized():
        return None
    try:
        return [_copies(pid, key) for pid in link.processes()]
    except PermissionError:
        return None


def holds(link: Link, key: bytes) -> bool:
    """Whether the daemon or a helper of it has a key in memory, as far as can be seen."""
    return any(copies(link, key) or [])


def key_copies(report: Report) -> None:
    """Secrets are in the daemon's guarded memory and nowhere else, each once for who works with it"""
    if not IS_VPND:
        return
    with Link(20, psk=os.urandom(32)) as link:
        keys = link.connect()
        report.row("handshake", link.ping(keys), "a session with a preshared key, ping")
        # The link's configuration has its keys for a reload and for `wg showconf`, the peer for
        # handshakes; a session's key is with the one loop that uses it.
        secrets = {
            "private key": (link.private, 2),
            "preshared key": (link.psk, 2),
            "sending key": (keys.recv, 1),
            "receiving key": (keys.send, 1),
        }
        for name, (key, most) in secrets.items():
            found = copies(link, key)
            if found is not None:
                report.row(
                    "keys",
                    sum(found[:1]) <= most and not any(found[1:]),
                    f"{name}: {most} at most, none in a helper",
                    found,
                )
                text = copies(link, base64.b64encode(key))
                report.row("keys", not any(text), f"{name}: no copy as text", text)


def rotation(report: Report) -> None:
    """The three key slots, and the wiping of keys"""
    with Link(15) as link:
        user = link.user()
        first = link.connect()
        report.row("key-slots", takes(link, first, user), "data of the first session is delivered")
        found = holds(link, first.recv)
        second = link.connect()
        report.row(
            "key-slots", takes(link, second, user), "data of the second session is delivered"
        )
        report.row("key-slots", takes(link, first, user), "data of the first still is, as previous")
        third = link.connect()
        report.row(
            "key-slots",
            takes(link, second, user),
            "after the third: data of the second is delivered",
        )
        report.row("key-slots", not takes(link, first, user), "data of the first is not")
        if found and IS_VPND:
            time.sleep(0.2)
            report.row(
                "key-slots",
                not holds(link, first.recv) and not holds(link, first.send),
                "the first session's keys are nowhere in the daemon's memory",
            )
        elif IS_VPND:
            print(
                f"     note key-slots: no key in use was found in memory ({found}); "
                "wiping not checked"
            )
        fourth = link.connect(confirm=False)
        report.row(
            "confirmation",
            not takes(link, second, user),
            "a fourth, unconfirmed: the previous is dropped",
        )
        report.row(
            "confirmation", link.ping(third), "the current one is in use until the confirmation"
        )
        report.row(
            "key-slots", link.ping(fourth), "the first data on the fourth makes it the current one"
        )
        report.row("key-slots", takes(link, third, user), "the third is still taken")


def both_at_once(report: Report) -> None:
    """Both sides start at the same time"""
    worked = 0
    runs = 6
    for run in range(runs):
        with Link(16) as link:
            link.peer.sock.setblocking(True)
            theirs, _ = pending(link)
            message, hs = link.peer.initiation()
            answer, late = link.peer.response(theirs)
            for part in (message, answer) if run % 2 else (answer, message):
                link.peer.send(part)
            sessions = [late]
            packet = link.peer.expect(RESPONSE, 1)
            if packet:
                sessions.append(link.peer.read_response(hs, packet.data))
            worked += any(link.ping(keys, timeout=0.5) for keys in reversed(sessions))
            link.peer.sock.close()
    report.row(
        "crossing",
        worked == runs,
        f"crossing initiations, both orders: {worked} of {runs} links work",
    )


def keepalive_start(report: Report) -> None:
    """A persistent keepalive starts the link by itself"""
    with Link(17, keepalive=2) as link:
        keys = link.peer.accept(2)
        packet = link.peer.expect(DATA, 0.2)
        report.row(
            "initiator",
            packet and len(packet.data) == 32 and packet.counter == 0,
            "nothing staged: one keepalive at once",
        )
        last, gaps = packet.when, []
        for _ in range(3):
            packet = link.peer.expect(DATA, 2.6)
            if packet is None:
                break
            gaps.append(packet.when - last)
            last = packet.when
        text = " ".join(f"{gap:.2f}" for gap in gaps)
        report.row(
            "persistent",
            len(gaps) == 3 and all(1.9 < gap < 2.4 for gap in gaps),
            f"a keepalive every 2 s: {text}",
        )
        link.peer.drain()
        end, extra = time.monotonic() + 5, 0
        while time.monotonic() < end:
            link.ping(keys)
            extra += len([p for p in link.peer.drain(0.4) if p.kind == DATA and len(p.data) == 32])
        report.row("persistent", extra == 0, "with a ping every 0.4 s there are none", extra)


def restarts(report: Report) -> None:
    """A daemon that has lost its memory, and a peer with a mad clock"""
    link = Link(18)
    with link:
        old, _ = link.peer.initiation()
        link.peer.send(old)
        link.peer.drain(SHORT)
        keys = link.connect()
        report.row("replayed", link.ping(keys), "a session before the restart")
    with link:
        keys = link.connect()
        report.row("replayed", link.ping(keys), "a session after it")
        time.sleep(GAP)
        report.row(
            "replayed",
            reply(link, old) is None,
            "an old initiation is refused, since a newer one was seen",
        )
        report.row("replayed", link.ping(keys), "the session goes on")
        report.row(
            "timestamp",
            answered(link, timestamp=b"\xff" * 12),
            "timestamp all FF from the true key: answered",
        )
        report.row("timestamp", not answered(link), "after that the true time is refused")
        report.row("timestamp", link.ping(keys), "the session goes on")
    with link:
        report.row(
            "timestamp", answered(link, timestamp=tai64n(0, 0)), "a restart forgets the stamp"
        )
        report.row("timestamp", link.ping(link.connect()), "and the link works")


def new_private_key(report: Report) -> None:
    """A reload with another PrivateKey while packets wait for a session"""
    if not IS_VPND:
        return
    with Link(26) as link:
        user = link.user()
        for i in range(5):
            user.sendto(b"waits %d" % i, (link.inner[4][1], 9))
        pending(link)
        link.private = new_private()
        link.peer.their_public = public_of(link.private)
        link.reload()
        keys = link.peer.accept(3)
        texts = [link.read(p, keys)[28:] for p in link.peer.drain(0.5) if p.kind == DATA]
        report.row(
            "staged",
            texts[:5] == [b"waits %d" % i for i in range(5)],
            "the handshake with the new key carries what waited under the old one",
            texts,
        )


def cookie_taken(report: Report) -> None:
    """A cookie reply to the daemon's initiation, and no roaming by it"""
    with Link(19) as link:
        hs, packet = pending(link)
        first = packet.when
        cookie = os.urandom(16)
        link.peer.send(link.peer.cookie_reply(hs.remote, os.urandom(16), os.urandom(16)))
        stranger = Noise(new_private(), public_of(link.private))
        link.peer.send(stranger.cookie_reply(hs.remote, hs.mac1, os.urandom(16)))
        other = udp_socket(env("PEER"), outer("PEER", 4))
        link.peer.send(link.peer.cookie_reply(hs.remote, hs.mac1, cookie), sock=other)
        link.peer.send(link.peer.cookie_reply(hs.remote, hs.mac1, os.urandom(16)))
        packet = link.peer.expect(INITIATION, 6)
        report.row(
            "roaming",
            packet,
            "the next initiation comes to the old address, not to the cookie's sender",
        )
        gap = packet.when - first
        report.row("cookie-use", 4.99 <= gap <= 5.5, f"and not before the retry timer: {gap:.2f} s")
        report.row(
            "cookie-use",
            packet.data[-16:] == mac(cookie, packet.data[:-16]),
            "mac2 is of the first right cookie, not a second one, none with a wrong AAD or key",
            packet.data[-16:].hex(),
            lacking=True,
        )
        message, keys = link.peer.response(link.peer.read_initiation(packet.data))
        link.peer.send(message)
        report.row(
            "cookie-use",
            link.peer.expect(DATA, 0.5) and link.ping(keys),
            "and the handshake completes",
        )
        report.row(
            "cookie-use",
            ZERO16 != packet.data[-16:] and kinds(link.peer.drain()).count(COOKIE) == 0,
            "no cookie reply came from the daemon",
        )


GROUPS = [rotation, key_copies, both_at_once, keepalive_start, restarts, new_private_key, cookie_taken]
