"""The contestants that carry Ethernet frames: `bench --mode tap`.

The rules are those of products.py: the same wire, the same MTU, which leaves room for the Ethernet
header in a packet of the wire, and the same queue. A contestant "bridged" has its interface in a
bridge, and the bridge has the address: every frame is looked up there, as for a machine behind it.
vpnd with packets (TUN) takes part as well, so that the price of frames can be seen.
"""

import contextlib

import products
from products import HOSTS, Failed, Fastd, Openvpn, Tinc, Veth, Vpnd

BRIDGE = "benchbr"


class Bridged:
    """What makes a contestant a bridged one; comes before its class."""

    sets_address = False
    addressed = BRIDGE

    def attach(self, rig, host):
        rig.on(host, "ip", "link", "add", BRIDGE, "type", "bridge")
        rig.on(host, "ip", "link", "set", self.interface, "master", BRIDGE)
        rig.on(host, "ip", "link", "set", BRIDGE, "mtu", products.MTU, "up")

    def stop(self, rig):
        super().stop(rig)
        for host in HOSTS:
            with contextlib.suppress(Failed):  # it may never have come to that
                rig.on(host, "ip", "link", "delete", BRIDGE)


class VpndTap(Vpnd):
    interface_lines = "Mode = tap\n"
    needs_allowed = False

    def __init__(self, program, cipher, label="vpnd"):
        super().__init__(program, cipher, f"{label}-tap")
        self.setup = f"Mode = tap, Cipher = {cipher}"


class VpndBridged(Bridged, VpndTap):
    def __init__(self, program, cipher, label="vpnd"):
        super().__init__(program, cipher, label)
        self.name += " bridged"
        self.setup += ", in a bridge"


class FastdTap(Fastd):
    mode = "tap"


class FastdBridged(Bridged, FastdTap):
    def __init__(self, method, name):
        super().__init__(method, name)
        self.setup += ", in a bridge"


class OpenvpnTap(Openvpn):
    mode = "tap"

    def __init__(self, cipher, name):
        super().__init__(cipher, name)
        self.setup = f"dev-type tap, {self.setup}"


class TincTap(Tinc):
    name = "tinc-tap"
    mode = "switch"
    device = "tap"


def vpnd_family(label, program, directory):
    """One build of vpnd, as products.vpnd_family() has it."""
    taken, refused = [], []
    for product in (
        VpndTap(program, "auto", label), VpndBridged(program, "auto", label),
        Vpnd(program, "auto", label),
    ):
        reason = product.refusal(directory)
        if reason:
            refused.append((product, reason))
        else:
            taken.append(product)
    return taken, refused


def others():
    """All contestants that are not vpnd, and no extra ones."""
    method = products.fastd_method()
    return [
        FastdTap(method, "fastd-tap"), FastdBridged(method, "fastd-tap bridged"),
        OpenvpnTap("AES-256-GCM", "openvpn-tap"), TincTap(), Veth(),
    ], []
