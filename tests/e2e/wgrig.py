"""The bench that the protocol tests stand on: namespaces, the daemon under test, raw sockets, a
report.

One test process works in several network namespaces at once: setns() changes only the calling
thread, and a socket stays where it was made. So the far end is a Python peer in one namespace,
while the daemon, the sockets of its users and the captures live in another. The shell script
that starts the test says where all that is through the environment: RIG_DUT and RIG_PEER
(namespaces), RIG_DUT4, RIG_DUT6, RIG_PEER4, … RIG_THIRD6 (outer addresses; THIRD is a stranger
beside the peer), RIG_DEV (the daemon's outer device), RIG_EXEC (a command that runs another on
the daemon's host), RIG_WORK (a directory for files) and RIG_DAEMON (a vpnd, or a wireguard-go to
prove the test itself).
"""

import base64
import contextlib
import ctypes
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import innerpkt
from wgcrypto import Refused, ZERO32, new_private, public_of
from wgpeer import DATA, Keypair, Packet, Peer

DAEMON = os.environ.get("RIG_DAEMON", "vpnd")
IS_VPND = os.path.basename(DAEMON) != "wireguard-go"
_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33
SIOCGIFFLAGS = 0x8913
OUTGOING = 4


@contextlib.contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Runs the block in the network namespace of that name."""
    path = namespace if namespace.startswith("/") else "/run/netns/" + namespace
    with open("/proc/thread-self/ns/net", "rb") as home, open(path, "rb") as away:
        if _LIBC.setns(away.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {path}")
        try:
            yield
        finally:
            _LIBC.setns(home.fileno(), _CLONE_NEWNET)


def env(name: str) -> str:
    """A setting of the bench."""
    return os.environ["RIG_" + name]


def outer(who: str, family: int) -> str:
    """The outer address of DUT, PEER or THIRD."""
    return env(f"{who}{family}")


def udp_socket(namespace: str, address: str, port: int = 0) -> socket.socket:
    """A bound UDP socket in a namespace."""
    with inside(namespace):
        sock = socket.socket(
            socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM
        )
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        sock.bind((address, port))
    return sock


def raw_send(namespace: str, packet: bytes, times: int = 1) -> None:
    """Sends a whole IP packet, header included, from a namespace."""
    six = packet[0] >> 4 == 6
    destination = packet[24:40] if six else packet[16:20]
    family = socket.AF_INET6 if six else socket.AF_INET
    with inside(namespace), socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        for _ in range(times):
            sock.sendto(packet, (socket.inet_ntop(family, destination), 0))


class Sniffer:
    """All IP packets of one device of a namespace."""

    def __init__(self, namespace: str, device: str) -> None:
        with inside(namespace):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
            self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
            self.sock.bind((device, 3))
        self.sock.setblocking(False)

    def take(self, *, outgoing: bool, seconds: float = 0.0) -> list[bytes]:
        """What passed since the last call in one direction; neighbour discovery and multicast
        reports left out.
        """
        out, end = [], time.monotonic() + seconds
        while select.select([self.sock], [], [], max(0.0, end - time.monotonic()))[0]:
            packet, where = self.sock.recvfrom(65536)
            if where[1] not in (0x0800, 0x86DD) or (where[2] == OUTGOING) != outgoing:
                continue
            if packet[0] >> 4 == 6 and (
                packet[6] == 0 or packet[6] == 58 and 130 <= packet[40] <= 143
            ):
                continue
            out.append(packet)
        return out

    def close(self) -> None:
        """Ends the capture."""
        self.sock.close()


def _is_up(namespace: str, device: str) -> bool:
    with inside(namespace), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            reply = fcntl.ioctl(sock, SIOCGIFFLAGS, struct.pack("16s16x", device.encode()))
        except OSError:
            return False
    return bool(struct.unpack_from("H", reply, 16)[0] & 1)


def until(condition: Callable[[], object], seconds: float) -> bool:
    """Polls a condition until it holds or the time is over."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        select.select([], [], [], 0.01)
    return True


class Link:
    """One daemon under test and its Python peer; `number` keeps several in a namespace apart."""

    def __init__(
        self,
        number: int,
        *,
        family: int = 4,
        psk: bytes = ZERO32,
        endpoint: bool = True,
        mtu: int = 1420,
        keepalive: int = 0,
        allowed: str = "",
        cipher: str = "",
    ) -> None:
        self.name = f"wp{number}x{os.getpid() % 10000}"
        self.port = 40000 + number
        self.family = family
        self.inner = {
            4: (f"10.66.{number}.1", f"10.66.{number}.2"),
            6: (f"fd66:{number:x}::1", f"fd66:{number:x}::2"),
        }
        self.mtu = mtu
        self.private = new_private()
        self.psk = psk
        self.keepalive = keepalive
        self.cipher = cipher
        self.allowed = allowed or f"{self.inner[4][1]}/32, {self.inner[6][1]}/128"
        sock = udp_socket(env("PEER"), outer("PEER", family), 41000 + number)
        self.peer = Peer(
            sock, (outer("DUT", family), self.port), new_private(), public_of(self.private), psk
        )
        self.endpoint = sock.getsockname()[:2] if endpoint else None
        self.process: subprocess.Popen | None = None
        self.directory = tempfile.mkdtemp(prefix="link-", dir=os.environ.get("RIG_WORK"))
        self.log = os.path.join(self.directory, self.name + ".log")
        self.keys: Keypair | None = None
        self._sequence = 0

    def _config(self, quick: bool) -> str:
        b64 = lambda key: base64.b64encode(key).decode()
        lines = ["[Interface]", f"PrivateKey = {b64(self.private)}", f"ListenPort = {self.port}"]
        if quick:
            lines += [
                f"Address = {self.inner[4][0]}/24, {self.inner[6][0]}/64",
                f"MTU = {self.mtu}",
            ]
        lines += ["[Peer]", f"PublicKey = {b64(self.peer.public)}", f"AllowedIPs = {self.allowed}"]
        if self.psk != ZERO32:
            lines.append(f"PresharedKey = {b64(self.psk)}")
        if self.endpoint:
            host, port = self.endpoint
            lines.append(f"Endpoint = {f'[{host}]' if ':' in host else host}:{port}")
        if self.cipher and quick:
            lines.append(f"Cipher = {self.cipher}")
        if self.keepalive:
            lines.append(f"PersistentKeepalive = {self.keepalive}")
        return "\n".join(lines) + "\n"

    def wait_read(self, limit: float = 2) -> None:
        """Until the daemon has read what waits in its UDP sockets, however busy the machine is."""
        end = time.monotonic() + limit
        while time.monotonic() < end and self._has_unread():
            time.sleep(0.005)

    def _has_unread(self) -> bool:
        for table in ("udp", "udp6"):
            with open(f"/proc/{self.process.pid}/net/{table}", encoding="ascii") as file:
                for row in file.readlines()[1:]:
                    fields = row.split()
                    local_port, receive_queue = fields[1].split(":")[1], fields[4].split(":")[1]
                    if int(local_port, 16) == self.port and int(receive_queue, 16) > 0:
                        return True
        return False

    def start(self) -> "Link":
        """Writes the link file, starts the daemon and waits until the interface is up."""
        path = self._write()
        command = [DAEMON, "run", path] if IS_VPND else [DAEMON, "-f", self.name]
        environment = dict(os.environ, LOG_LEVEL="error", WG_PROCESS_FOREGROUND="1")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*env("EXEC").split(), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )
        if not IS_VPND:
            control = f"/proc/{self.process.pid}/root/run/wireguard/{self.name}.sock"
            until(lambda: os.path.exists(control), 5)
            steps = [["wg", "setconf", self.name, path]]
            steps += [
                [
                    "ip",
                    "addr",
                    "add",
                    f"{self.inner[f][0]}/{24 if f == 4 else 64}",
                    "dev",
                    self.name,
                ]
                + ["nodad"] * (f == 6)
                for f in (4, 6)
            ]
            steps.append(["ip", "link", "set", self.name, "mtu", str(self.mtu), "up"])
            for step in steps:
                subprocess.run([*env("EXEC").split(), *step], check=True)
        if (
            not until(lambda: _is_up(env("DUT"), self.name) or self.process.poll() is not None, 5)
            or self.process.poll() is not None
        ):
            raise RuntimeError(f"the daemon did not start:\n{self.log_text()}")
        until(self._has_address, 3)
        return self

    def _write(self) -> str:
        path = os.path.join(self.directory, self.name + ".conf")
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii"
        ) as file:
            file.write(self._config(IS_VPND))
        return path

    def reload(self) -> None:
        """Has the daemon read its link file, which is written anew."""
        self._write()
        self.process.send_signal(signal.SIGHUP)

    def _has_address(self) -> bool:
        try:
            for family in (4, 6):
                udp_socket(env("DUT"), self.inner[family][0]).close()
        except OSError:
            return False
        return True

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends the daemon; its exit code, negative when a signal ended it."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process = None
        return code

    def __enter__(self) -> "Link":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def alive(self) -> bool:
        """Whether the daemon runs."""
        return self.process is not None and self.process.poll() is None

    def _status(self, name: str) -> int:
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(next(line for line in file if line.startswith(name + ":")).split()[1])

    def memory(self) -> int:
        """The daemon's resident memory in KiB."""
        return self._status("VmRSS")

    def sanitized(self) -> bool:
        """Whether the daemon has AddressSanitizer, which maps terabytes and frees late."""
        return self._status("VmSize") > 2**30

    def processes(self) -> list[int]:
        """The daemon and the helpers that it has forked."""
        with open(
            f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii"
        ) as file:
            return [self.process.pid, *map(int, file.read().split())]

    def log_text(self) -> str:
        """What the daemon has logged."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def user(self, family: int = 4, port: int = 0) -> socket.socket:
        """A UDP socket of somebody behind the daemon, on the inner address."""
        sock = udp_socket(env("DUT"), self.inner[family][0], port)
        level, name = (
            (socket.IPPROTO_IP, socket.IP_RECVTOS)
            if family == 4
            else (socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS)
        )
        sock.setsockopt(level, name, 1)
        return sock

    def poke(self, data: bytes = b"poke", family: int = 4, port: int = 9) -> None:
        """Gives the daemon one packet to carry to the peer."""
        with self.user(family) as sock:
            sock.sendto(data, (self.inner[family][1], port))

    def datagram(self, data: bytes, port: int, family: int = 4, **fields: int) -> bytes:
        """An inner UDP packet from the peer to a port behind the daemon."""
        mine, theirs = self.inner[family][1], self.inner[family][0]
        return innerpkt.udp(mine, theirs, 9, port, data, **fields)

    def ping(
        self,
        keys: Keypair | None = None,
        *,
        family: int = 4,
        size: int = 8,
        timeout: float = 1.0,
        settle: bool = True,
    ) -> bool:
        """An echo through the tunnel. `settle` acknowledges the reply, so that no timer of the
        daemon is left running that could make it speak first.
        """
        keys = keys or self.keys
        self._sequence = (self._sequence + 1) & 0xFFFF
        here, there = self.inner[family][1], self.inner[family][0]
        self.peer.send(
            self.peer.data(keys, innerpkt.echo(here, there, 7, self._sequence, bytes(size)))
        )
        end = time.monotonic() + timeout
        while (packet := self.peer.expect(DATA, end - time.monotonic())) is not None:
            try:
                plain = self.peer.read_data(keys, packet.data)[1]
            except Refused:
                continue
            if innerpkt.is_echo_reply(plain, 7, self._sequence):
                if settle:
                    self.peer.send(self.peer.data(keys))
                return True
        return False

    def session(self, max_age: float = 60.0) -> Keypair:
        """The current session with this peer as initiator; a new one when the last is older than
        max_age.
        """
        if self.keys is None or self.keys.age() > max_age:
            self.keys = self.connect()
        return self.keys

    def connect(self, **fields: object) -> Keypair:
        """A session with this peer as initiator, later than 20 ms after the one before (the
        daemon takes no more than 50 initiations in a second).
        """
        time.sleep(0.03)
        return self.peer.connect(**fields)

    def read(self, packet: Packet, keys: Keypair) -> bytes:
        """The inner packet of a data message, without padding."""
        plain = self.peer.read_data(keys, packet.data)[1]
        return plain[: innerpkt.true_length(plain)]


class Report:
    """Numbered rows and a verdict."""

    def __init__(self) -> None:
        self.rows = 0
        self.failed = 0

    def row(
        self, rule: str, passed: object, text: str, detail: object = "", *, lacking: bool = False
    ) -> bool:
        """Prints one row; the detail only when the row failed.  `lacking` marks what the
        reference daemon lacks.
        """
        if lacking and not IS_VPND:
            return True
        self.rows += 1
        self.failed += not passed
        more = f"   [{detail}]" if detail != "" and not passed else ""
        print(f"{self.rows:4} {'ok  ' if passed else 'FAIL'} {rule:14} {text}{more}", flush=True)
        return bool(passed)


def run_groups(groups: list[Callable[[Report], None]], only: list[str]) -> int:
    """Runs each group in a process of its own, all at the same time, and prints their rows group
    by group.
    """
    running = []
    for group in groups:
        if only and group.__name__ not in only:
            continue
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            os.dup2(writer, 1)
            report = Report()
            try:
                group(report)
            except Exception as error:  # a broken group must not hide the others
                report.row(
                    "-",
                    False,
                    f"group {group.__name__} stopped",
                    f"{type(error).__name__}: {error}",
                )
            sys.stdout.flush()
            os._exit(min(report.failed, 100))
        os.close(writer)
        running.append((group, pid, reader))
    failed = 0
    for group, pid, reader in running:
        title = (group.__doc__ or group.__name__).splitlines()[0]
        with open(reader, encoding="utf-8") as rows:
            text = rows.read()
        print(f"== {group.__name__}: {title}\n{text}", end="", flush=True)
        failed += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return failed
