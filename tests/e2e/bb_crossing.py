"""Black-box groups for what two vpnds agree on, and what a stock peer must not notice of it.

A vpnd makes an offer in the low 24 bits of an initiation's timestamp. Here the peer makes them what
they are to be: the time as it is, as some implementations send it, or an offer.
"""

import struct
import time

from bb_handshake import SHORT, pending
from bb_sessions import takes
from wgcrypto import Refused, public_of
from wgpeer import DATA, Keypair, Peer, RESPONSE
from wgrig import IS_VPND, Link, Report

MARKER = 0x5A7 << 12
AES256_GCM, AEGIS256, FRAMES = 1 << 1, 1 << 3, 1 << 11
LOW_BITS = 0xFFFFFF


def stamp_with(link: Link, low: int, later: int = 0) -> bytes:
    """A timestamp of now, or some seconds later, with these low 24 bits."""
    seconds, nanoseconds = struct.unpack(">QI", link.peer.stamp())
    return struct.pack(">QI", seconds + later, nanoseconds & ~LOW_BITS | low)


def full_nanoseconds(report: Report) -> None:
    """Timestamps that only look a little like an offer get plain WireGuard"""
    with Link(21) as link:
        for i, low in enumerate((0xFFF, 0x010 | AES256_GCM, 0x400 | FRAMES | AES256_GCM, 0x001)):
            time.sleep(0.03)
            message, hs = link.peer.initiation(timestamp=stamp_with(link, MARKER | low, i))
            link.peer.send(message)
            packet = link.peer.expect(RESPONSE, 0.5)
            try:
                opens = packet and link.peer.read_response(hs, packet.data)
            except Refused as error:
                opens, packet = None, error
            report.row("offer", opens, f"nanoseconds ending in 5a7{low:03x}: a stock response", packet)


def give_smaller_key(link: Link) -> None:
    """Exchanges the private keys if need be: the daemon's public key is to be the smaller one."""
    daemon, peer = public_of(link.private), link.peer.public
    if int.from_bytes(daemon, "little") > int.from_bytes(peer, "little"):
        private, link.private = link.private, link.peer.private
        link.peer = Peer(
            link.peer.sock, link.peer.remote, private, public_of(link.private), link.psk
        )


def cross(link: Link, low: int) -> tuple[Keypair, Keypair, bool]:
    """Both begin at once: the daemon's session, ours, and whether the daemon made an offer."""
    theirs, _ = pending(link)
    message, hs = link.peer.initiation(timestamp=stamp_with(link, low))
    link.peer.send(message)
    packet = link.peer.expect(RESPONSE, 1)
    if packet is None:
        raise Refused("no response while the daemon's initiation is under way")
    ours = link.peer.read_response(hs, packet.data)
    message, its = link.peer.response(theirs)
    link.peer.send(message)
    if link.peer.expect(DATA, 1) is None:
        raise Refused("no data with the daemon's session")
    return its, ours, struct.unpack(">QI", theirs.timestamp)[1] & LOW_BITS != 0


def sends_with(link: Link) -> int | None:
    """The index that the daemon's next data message is for."""
    link.peer.drain(SHORT)
    link.poke()
    packet = link.peer.expect(DATA, 1)
    return packet.receiver if packet else None


def crossing(report: Report) -> None:
    """Both begin at once, the daemon having the smaller key"""
    kinds = {"the time as it is": 0x123456}
    if IS_VPND:
        kinds["an offer"] = MARKER | AEGIS256
    for text, low in kinds.items():
        link = Link(22)
        give_smaller_key(link)
        with link:
            try:
                its, ours, offers = cross(link, low)
            except Refused as error:
                # With this library the daemon has the cipher, and its response is not stock.
                report.row("crossing", low & AEGIS256 and str(error).startswith("empty"), text, error)
                continue
            report.row("initiator", sends_with(link) == its.local, f"{text}: it sends with its own session")
            link.peer.send(link.peer.data(ours))
            got = sends_with(link)
            # It knows a stock peer by what itself offers and the peer does not.
            if low == 0x123456 and offers:
                report.row("key-slots", got == its.local, "a packet on the other changes nothing", got)
            else:
                report.row("crossing", got == ours.local, "two vpnds agree on that of the larger key", got)
            user = link.user()
            both = takes(link, its, user) and takes(link, ours, user)
            report.row("crossing", both, "both sessions are received")
        link.peer.sock.close()


GROUPS = [full_nanoseconds, crossing]
