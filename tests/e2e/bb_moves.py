"""Black-box groups for where the daemon believes the peer to be, and its search for one that is quiet.

Each group is a function with a daemon of its own, so that all run at the same time (see
blackbox.py).
"""

import select
import time

from bb_transport import moves_to, where_to
from wgpeer import DATA, INITIATION, RESPONSE
from wgrig import IS_VPND, Link, Report, env, outer, udp_socket


def recordings(report: Report) -> None:
    """Initiations to a daemon that began the session itself"""
    if not IS_VPND:
        return
    with Link(23) as link:
        others = {name: udp_socket(env("PEER"), outer("PEER", 4)) for name in "BC"}
        others["A"] = link.peer.sock
        link.poke()
        keys = link.peer.accept(1)
        report.row(
            "initiator", link.peer.expect(DATA, 1) and link.ping(keys), "the daemon begins a session"
        )
        for text in ("the first", "a second"):
            time.sleep(0.05)
            message, hs = link.peer.initiation()
            link.peer.send(message, sock=others["B"])
            packet = link.peer.expect(RESPONSE, 0.5, others["B"])
            report.row(
                "replayed",
                packet and (to := where_to(link, others)) == "A",
                f"{text} initiation from elsewhere, perhaps a recording, is answered and moves nothing",
                packet and to,
            )
        keys = link.peer.read_response(hs, packet.data)
        link.peer.send(link.peer.data(keys), sock=others["B"])
        report.row("roaming", (to := moves_to(link, others, "B")) == "B", "its confirmation does", to)
        time.sleep(0.05)
        link.peer.send(link.peer.initiation()[0], sock=others["C"])
        report.row(
            "roaming",
            (to := moves_to(link, others, "C")) == "C",
            "from then on an initiation moves the daemon by itself",
            to,
        )


def mute(report: Report) -> None:
    """A peer that moved and is quiet: two tries at each of its addresses, data at the last one"""
    if not IS_VPND:
        return
    with Link(24) as link:
        moved = udp_socket(env("PEER"), outer("PEER", 4))
        others = {"moved": moved, "file": link.peer.sock}
        keys = link.connect()
        link.peer.send(link.peer.data(keys), sock=moved)
        report.row("roaming", moves_to(link, others, "moved") == "moved", "the peer has moved")
        tries: list[str] = []
        data: set[str] = set()
        end = time.monotonic() + 45
        while len(tries) < 5 and time.monotonic() < end:
            if tries:
                link.poke()
            for sock in select.select(list(others.values()), [], [], 0.2)[0]:
                name = "file" if sock is link.peer.sock else "moved"
                packet = link.peer.recv(0, sock)
                if packet and packet.kind == INITIATION:
                    tries.append(name)
                elif packet and packet.kind == DATA and tries:
                    data.add(name)
        report.row(
            "pace",
            tries == ["moved", "moved", "file", "file", "moved"],
            "without an answer two initiations go to each address in turn",
            tries,
        )
        report.row("roaming", data == {"moved"}, "data goes on to where the peer was last", data)


GROUPS = [recordings, mute]
