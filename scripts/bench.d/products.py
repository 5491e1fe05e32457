"""The contestants: how each product is set up and started on the two hosts.

Every product gets the same wire, the same inner addresses, the same tunnel MTU and the same queue
length of its interface. Beyond that each has what its own documentation recommends for speed
without weakening security; `setup` says in one sentence what that is.
"""

import re
import shutil
import subprocess
from pathlib import Path

from rig import HOSTS, OUTER, ROOT, Failed, last_words, run, wait_for

MTU = 1420
QUEUE = 500
INNER = {"a": "10.8.0.1", "b": "10.8.0.2"}
OTHER = {"a": "b", "b": "a"}
PORT = 51820
START_SECONDS = 30


class Product:
    """One contestant. Subclasses write files in prepare() and name the command of a host."""

    name = "?"
    setup = ""
    programs = ()
    interface = "bench"
    sets_address = False  # whether the daemon gives its interface the address by itself
    addressed = None  # the interface that gets the address, if it is not the daemon's
    ping_to = INNER["b"]
    bind_to = INNER

    def __init__(self):
        self.daemons = []
        self.directory = None

    def why_not(self):
        """Why this product cannot be measured here, or None."""
        missing = [name for name in self.programs if not shutil.which(name)]
        return f"{', '.join(missing)} not installed" if missing else None

    def version(self):
        return ""

    def prepare(self):
        """Writes the files of both hosts into self.directory, once."""

    def command(self, host):
        """The program with its arguments that is the daemon of a host."""
        raise NotImplementedError

    def after_start(self, rig, host):
        """What has to be told to a daemon that is running."""

    def attach(self, rig, host):
        """What is done with an interface that is up, before anything has an address."""

    def environment(self):
        return {}

    def start(self, rig):
        """Starts both daemons and returns when packets pass; Failed says why they do not."""
        if not self.directory:
            self.directory = rig.directory / self.name.replace(" ", "-")
            self.directory.mkdir()
            self.prepare()
        # One after the other: a first message to a host that does not listen yet costs seconds.
        for host in HOSTS:
            daemon = rig.start(host, self.directory.name, *self.command(host),
                               environment=self.environment())
            self.daemons.append(daemon)
            self.wait(daemon, lambda host=host: rig.has_interface(host, self.interface),
                      "no interface")
            self.after_start(rig, host)
            link = ["ip", "link", "set", self.interface, "mtu", MTU, "txqueuelen", QUEUE, "up"]
            rig.on(host, *link)
            self.attach(rig, host)
            if not self.sets_address:
                rig.on(host, "ip", "address", "add", INNER[host], "peer", INNER[OTHER[host]],
                       "dev", self.addressed or self.interface)
        self.wait(self.daemons[0], lambda: rig.answers(self.ping_to), "no packets pass")

    def wait(self, daemon, condition, sentence):
        if wait_for(START_SECONDS, lambda: daemon.poll() is not None or condition()):
            if daemon.poll() is None:
                return
            sentence = f"it ended with {daemon.returncode}"
        raise Failed(f"{sentence}; {last_words(daemon)}")

    def pids(self):
        return [daemon.pid for daemon in self.daemons]

    def check_alive(self):
        for host, daemon in zip(HOSTS, self.daemons):
            if daemon.poll() is not None:
                raise Failed(f"the daemon on {host} ended with {daemon.returncode}; "
                             f"{last_words(daemon)}")

    def remarks(self):
        """What a running contestant has said about itself that a reader should know."""
        return ""

    def stop(self, rig):
        rig.stop(*self.daemons)
        self.daemons = []

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path


class Veth(Product):
    """No VPN at all: what the machine can do."""

    name = "bare veth"
    setup = "no VPN: the wire itself, MTU 1500"
    interface = "eth0"
    ping_to = OUTER["b"]
    bind_to = OUTER

    def start(self, rig):
        pass


class Vpnd(Product):
    """vpnd with one cipher. `line` is empty for a build that does not know Cipher."""

    sets_address = True
    interface_lines = ""
    needs_allowed = True  # a link that carries frames has no AllowedIPs

    def __init__(self, program, cipher, label="vpnd"):
        super().__init__()
        self.program = str(program)
        self.cipher = cipher
        self.name = f"{label} {cipher}"
        self.setup = f"Cipher = {cipher}"
        self.line = f"Cipher = {cipher}\n"

    def version(self):
        return run([self.program, "--version"]).strip()

    def keys(self):
        private = {host: run([self.program, "genkey"]).strip() for host in HOSTS}
        public = {
            host: run([self.program, "pubkey"], input=key + "\n").strip()
            for host, key in private.items()
        }
        return private, public

    def prepare(self):
        private, public = self.keys()
        for host in HOSTS:
            address = f"Address = {INNER[host]}/30\n" if self.sets_address else ""
            allowed = f"AllowedIPs = {INNER[OTHER[host]]}/32\n" if self.needs_allowed else ""
            self.write(f"{host}/bench.conf", (
                f"[Interface]\nPrivateKey = {private[host]}\n{address}"
                f"ListenPort = {PORT}\nMTU = {MTU}\n{self.interface_lines}\n"
                f"[Peer]\nPublicKey = {public[OTHER[host]]}\n{allowed}"
                f"Endpoint = {OUTER[OTHER[host]]}:{PORT}\n{self.line}"
            ))

    def refusal(self, directory):
        """What `vpnd check` has against a file with this cipher, or None."""
        self.directory = directory / f"check-{self.name.replace(' ', '-')}"
        self.directory.mkdir(exist_ok=True)
        try:
            self.prepare()
            done = subprocess.run(
                [self.program, "check", self.directory / "a" / "bench.conf"],
                capture_output=True, text=True, check=False,
            )
            found = re.findall(r": error: (.*)", done.stdout + done.stderr)
            return None if done.returncode == 0 else " ".join(["vpnd check says:", *found[:1]])
        except (Failed, OSError) as failure:
            return str(failure)
        finally:
            self.directory = None

    def remarks(self):
        if self.cipher != "auto":
            return ""
        said = "".join(daemon.log.read_text(errors="replace") for daemon in self.daemons)
        found = re.findall("|".join(CIPHERS[:-1]), said)
        return f"chose {found[-1]}" if found else "did not say what it chose"

    def command(self, host):
        return [self.program, "run", self.directory / host / "bench.conf"]


class WireguardGo(Product):
    name = "wireguard-go"
    setup = "as it comes; ChaCha20-Poly1305"
    programs = ("wg",)

    def __init__(self):
        super().__init__()
        try:
            fetch = ROOT / "tests" / "interop" / "fetch-wireguard-go"
            self.program = run([fetch], timeout=300).strip()
            archives = sorted(Path(self.program).parents[3].glob("*.deb"))
            # The program's own number is that of its last tag, which may be a year behind.
            self.source = archives[-1].stem if archives else "Debian testing"
        except Failed as failure:
            self.program = shutil.which("wireguard-go")
            self.source = f"the distribution's, because: {failure}"

    def why_not(self):
        return super().why_not() or (None if self.program else "wireguard-go not installed")

    def version(self):
        own = run([self.program, "--version"]).split()[1]
        number = re.search(r"_([\d.]+)", self.source)
        return f"wireguard-go {number[1] if number else own} ({self.source}; calls itself {own})"

    def prepare(self):
        private = {host: run(["wg", "genkey"]).strip() for host in HOSTS}
        for host in HOSTS:
            public = run(["wg", "pubkey"], input=private[OTHER[host]]).strip()
            self.write(f"{host}.conf", (
                f"[Interface]\nPrivateKey = {private[host]}\nListenPort = {PORT}\n"
                f"[Peer]\nPublicKey = {public}\nAllowedIPs = {INNER[OTHER[host]]}/32\n"
                f"Endpoint = {OUTER[OTHER[host]]}:{PORT}\n"
            ))

    def environment(self):
        return {"LOG_LEVEL": "error"}

    def command(self, host):
        return [self.program, "-f", self.interface]

    def after_start(self, rig, host):
        configure = ["wg", "setconf", self.interface, self.directory / f"{host}.conf"]
        problem = []

        # The interface is there a moment before the socket that wg talks to.
        def configured():
            try:
                rig.on(host, *configure)
                return True
            except Failed as failure:
                problem[:] = [failure]
                return False

        if not wait_for(5, configured):
            raise problem[0]


class Fastd(Product):
    setup = "mode {mode}, method {method}"
    programs = ("fastd",)
    mode = "tun"

    def __init__(self, method, name="fastd"):
        super().__init__()
        self.method = method
        self.name = name
        self.setup = self.setup.format(mode=self.mode, method=method)

    def version(self):
        return run(["fastd", "--version"]).strip()

    def prepare(self):
        pairs = {host: run(["fastd", "--generate-key"]) for host in HOSTS}
        secret = {host: re.search(r"Secret: (\w+)", pairs[host])[1] for host in HOSTS}
        public = {host: re.search(r"Public: (\w+)", pairs[host])[1] for host in HOSTS}
        for host in HOSTS:
            peer = OTHER[host]
            # Only b calls: handshakes from both at once may cost a pause of 15 seconds.
            remote = f" remote {OUTER[peer]}:{PORT};" if host == "b" else ""
            self.write(f"{host}.conf", (
                f'log level warn;\nmode {self.mode};\ninterface "{self.interface}";\nmtu {MTU};\n'
                f'method "{self.method}";\nsecret "{secret[host]}";\n'
                f"bind {OUTER[host]}:{PORT};\n"
                f'peer "{peer}" {{ key "{public[peer]}";{remote} }}\n'
            ))

    def command(self, host):
        return ["fastd", "--config", self.directory / f"{host}.conf"]


class Openvpn(Product):
    setup = "in userspace (no DCO), peer-fingerprint, fast-io, cipher {cipher}"
    programs = ("openvpn", "openssl")
    mode = "tun"

    def __init__(self, cipher, name="openvpn"):
        super().__init__()
        self.cipher = cipher
        self.name = name
        self.setup = self.setup.format(cipher=cipher)

    def version(self):
        # It ends with 1 after printing its version.
        text = run(["sh", "-c", "openvpn --version || :"])
        return " ".join(text.split()[:2])

    def prepare(self):
        prints = {}
        for host in HOSTS:
            key, certificate = self.directory / f"{host}.key", self.directory / f"{host}.crt"
            run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={host}",
                 "-keyout", key, "-out", certificate])
            text = run(["openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256"])
            prints[host] = text.strip().partition("=")[2]
        for host in HOSTS:
            role = "tls-server\ndh none" if host == "a" else "tls-client"
            self.write(f"{host}.conf", (
                f"dev {self.interface}\ndev-type {self.mode}\ntun-mtu {MTU}\nmssfix 0\n"
                f"txqueuelen {QUEUE}\n"
                f"proto udp4\nlocal {OUTER[host]}\nremote {OUTER[OTHER[host]]}\nport {PORT}\n"
                f"{role}\n"
                f"cert {self.directory}/{host}.crt\nkey {self.directory}/{host}.key\n"
                f"peer-fingerprint {prints[OTHER[host]]}\ndata-ciphers {self.cipher}\n"
                f"cipher {self.cipher}\ndisable-dco\nfast-io\nverb 1\n"
            ))

    def command(self, host):
        return ["openvpn", "--config", self.directory / f"{host}.conf"]


class Tinc(Product):
    name = "tinc"
    setup = "{mode} mode, its defaults: aes-256-cbc, sha256 cut to 4 bytes; no PMTU probing"
    programs = ("tincd",)
    mode = "router"
    device = "tun"

    def __init__(self):
        super().__init__()
        self.setup = self.setup.format(mode=self.mode)

    def version(self):
        return run(["tincd", "--version"]).splitlines()[0].split(" (")[0]

    def prepare(self):
        for host in HOSTS:
            self.write(f"{host}/tinc.conf", (
                f"Name = {host}\nConnectTo = {OTHER[host]}\nInterface = {self.interface}\n"
                f"DeviceType = {self.device}\nMode = {self.mode}\nAddressFamily = ipv4\n"
            ))
            # Without probing it never falls back to sending data over its TCP connection.
            self.write(f"{host}/hosts/{host}", (
                f"Address = {OUTER[host]}\nSubnet = {INNER[host]}/32\nPMTUDiscovery = no\n"
            ))
            run(["tincd", "-c", self.directory / host, "-K", "2048"], stdin=-3)
        for host in HOSTS:
            text = (self.directory / host / "hosts" / host).read_text()
            self.write(f"{OTHER[host]}/hosts/{host}", text)

    def command(self, host):
        return ["tincd", "-c", self.directory / host, "-D", "-d1",
                f"--pidfile={self.directory}/{host}.pid"]


# What `Cipher =` may be; which of them a build of vpnd takes is asked of `vpnd check`.
CIPHERS = ("chacha20-poly1305", "aes256-gcm", "aegis128l", "aegis256", "auto")


# vpnd with a newer libsodium than the distribution's, and what of it the distribution's cannot do;
# there `auto` means aegis128l.
NEWER = "vpnd-new"
NEWER_CIPHERS = ("aegis256", "auto")


def vpnd_family(label, program, directory):
    """One build of vpnd: its contestants, and those that it refuses, with the reason."""
    taken, refused = [], []
    for cipher in CIPHERS:
        product = Vpnd(program, cipher, label)
        reason = product.refusal(directory)
        if reason and cipher == CIPHERS[0]:
            # A build that knows no choice has this one cipher.
            product.line, product.setup = "", "no Cipher line: this build has one cipher"
            reason = product.refusal(directory)
        if reason:
            refused.append((product, reason))
        else:
            taken.append(product)
    return taken, refused


# fastd's two methods of equal strength.
FASTD = {"fastd-aes": "aes128-ctr+umac", "fastd-salsa": "salsa2012+umac"}


def fastd_method():
    """The one of fastd's methods that is faster here: it depends on the CPU's AES instructions."""
    has_aes = re.search(r"^flags\s*:.* aes ", Path("/proc/cpuinfo").read_text(), re.M)
    return FASTD["fastd-aes" if has_aes else "fastd-salsa"]


def others():
    """All contestants that are not vpnd, and extra ones, which run only when they are named."""
    usual = fastd_method()
    extra = [Fastd(method, name) for name, method in FASTD.items() if method != usual]
    extra.append(Openvpn("CHACHA20-POLY1305", "openvpn-chacha"))
    return [WireguardGo(), Fastd(usual), Openvpn("AES-256-GCM"), Tinc(), Veth()], extra
