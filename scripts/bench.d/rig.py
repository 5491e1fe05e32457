"""The ground that every contestant runs on: two hosts, their processes, and what the machine did.

The hosts come from scripts/lab: two network namespaces, joined by one veth pair. A Rig starts
programs on them, knows every process it has started, and ends exactly these. It reads what the
kernel counts (/proc): CPU time, memory, time stolen by the hypervisor, time used by strangers.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOSTS = ("a", "b")
OUTER = {"a": "192.0.2.1", "b": "192.0.2.2"}
TICKS = os.sysconf("SC_CLK_TCK")

# What `ethtool -K eth0` is given on both ends of the wire.
WIRES = {
    "plain": ("plain veth: segments cross it unsegmented", "tso on gso on tx-udp-segmentation on"),
    "segmented": (
        "veth with segmentation off, gro on: every packet crosses it alone",
        "tso off gso off tx-udp-segmentation off gro on",
    ),
}


class Failed(Exception):
    """A contestant or a measurement did not work; the text says why."""


def run(command, any_end=False, **options):
    """Runs a command to its end and returns its output; Failed when it says no.

    With any_end the output is wanted whatever the exit code.
    """
    options.setdefault("timeout", 60)
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"{words[0]}: {error}") from error
    if done.returncode != 0 and not any_end:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Failed(f"{Path(words[0]).name} ended with {done.returncode}: {' '.join(said[-2:])}")
    return done.stdout


def wait_for(seconds, condition):
    """Polls until the condition holds; whether it ever did."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def stat_fields(pid):
    """/proc/PID/stat after the name, which may hold anything; None when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def all_processes():
    """Every process: id -> (parent, CPU ticks in user space and in the kernel)."""
    found = {}
    for name in os.listdir("/proc"):
        fields = stat_fields(name) if name.isdigit() else None
        if fields:
            found[int(name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
    return found


def tree(pids, processes=None):
    """These processes and all that descend from them."""
    processes = processes or all_processes()
    known = set(pids)
    while True:
        more = {pid for pid, (parent, _) in processes.items() if parent in known} - known
        if not more:
            return known & set(processes)
        known |= more


def cpu_seconds(pids):
    """CPU time that process trees have used so far, all threads, user and system."""
    processes = all_processes()
    return sum(processes[pid][1] for pid in tree(pids, processes)) / TICKS


def peak_memory(pid):
    """Most memory a process tree ever had resident, in bytes (VmHWM, shared pages included)."""
    total = 0
    for member in tree([pid]):
        try:
            lines = Path(f"/proc/{member}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    return total


class Watch:
    """What disturbed a stretch of time: stolen CPU time and processes that are not the bench's."""

    def __init__(self):
        self.cpu = self.read_cpu()
        self.strangers = self.read_strangers()

    @staticmethod
    def read_cpu():
        return [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]

    @staticmethod
    def read_strangers():
        processes = all_processes()
        own = tree([os.getpid()], processes)
        # Kernel threads descend from 2: what they do here is the contestants' network traffic.
        kernel = tree([2], processes)
        return {
            pid: ticks for pid, (_, ticks) in processes.items()
            if pid not in own and pid not in kernel
        }

    def shares(self):
        """Since the start: stolen share and strangers' share of the machine's time, in percent."""
        cpu = [new - old for new, old in zip(self.read_cpu(), self.cpu)]
        total = max(sum(cpu), 1)
        strangers = sum(
            max(ticks - self.strangers.get(pid, 0), 0)
            for pid, ticks in self.read_strangers().items()
        )
        return 100 * cpu[7] / total, 100 * strangers / total


class Rig:
    """Two hosts and what runs on them; use it in a `with`, which cleans up whatever happens."""

    def __init__(self):
        self.environment = dict(os.environ, LAB=f"bench{os.getpid()}", LC_ALL="C")
        self.lab = str(ROOT / "scripts" / "lab")
        self.processes = []
        self.work = None
        self.directory = None

    def __enter__(self):
        self.work = tempfile.TemporaryDirectory(prefix="vpnd-bench.")
        self.directory = Path(self.work.name)
        try:
            run([self.lab, "up", "2"], env=self.environment)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)  # nothing interrupts the cleaning
        self.stop_all()
        subprocess.run([self.lab, "down"], env=self.environment, check=False)
        self.work.cleanup()

    def on(self, host, *command, **options):
        """Runs a command on a host to its end."""
        return run([self.lab, "exec", host, *command], env=self.environment, **options)

    def start(self, host, log, *command, environment=None, **options):
        """Starts a program on a host; its lines go to a file unless stdout is given."""
        words = [self.lab, "exec", host, *map(str, command)]
        path = self.directory / f"{log}-{host}.log"
        with open(path, "wb") as output:
            options.setdefault("stdin", subprocess.DEVNULL)
            options.setdefault("stdout", output)
            process = subprocess.Popen(
                words, stderr=output,
                env={**self.environment, **(environment or {})}, **options,
            )
        process.log = path
        self.processes.append(process)
        return process

    def stop(self, *processes):
        """Ends processes of start(): politely, and after three seconds not so."""
        for process in processes:
            if process.poll() is None:
                process.terminate()
        for process in processes:
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in filter(None, (process.stdin, process.stdout)):
                pipe.close()
            if process in self.processes:
                self.processes.remove(process)

    def stop_all(self):
        self.stop(*reversed(self.processes))

    def set_wire(self, name):
        for host in HOSTS:
            self.on(host, "ethtool", "-K", "eth0", *WIRES[name][1].split())

    def has_interface(self, host, name):
        return subprocess.run(
            [self.lab, "exec", host, "ip", "link", "show", "dev", name],
            env=self.environment, capture_output=True, check=False,
        ).returncode == 0

    def answers(self, address):
        """Whether b answers a's ping at this address."""
        return subprocess.run(
            [self.lab, "exec", "a", "ping", "-n", "-q", "-c", "1", "-W", "0.3", address],
            env=self.environment, capture_output=True, check=False,
        ).returncode == 0


def last_words(process):
    """The last line of what a process said, for a sentence about its end."""
    lines = process.log.read_text(errors="replace").split("\n") if process.log.exists() else []
    lines = [line.strip() for line in lines if line.strip()]
    return lines[-1] if lines else "it said nothing"


def warn(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)
