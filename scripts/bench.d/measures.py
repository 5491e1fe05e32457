"""The measurements, and how one contestant goes through all of them once.

Every figure is listed in FIGURES; a function of STEPS fills one or more of them. A step during
which the hypervisor stole more than STEAL_MAX percent of the machine is thrown away and done again;
when that happens three times in a row its figures are left out. A step during which other processes
of this machine used more than `calm` percent of it is done again as well; of three such tries the
least disturbed counts.
"""

import contextlib
import json
import re
import select
import shutil
import signal
import statistics
import time
from dataclasses import dataclass, field
from subprocess import PIPE

from rig import Failed, Watch, cpu_seconds, peak_memory, run, tree, wait_for

STEAL_MAX = 1.0
TRIES = 3
SMALL_BYTES = 64
LOSS_MAX = 0.02
# TCP's payload in a full packet of the tunnel: 1420 without the IPv4 and TCP headers, timestamps.
SEGMENT_BYTES = 1420 - 20 - 20 - 12
PORT_LOAD = 5300


@dataclass(frozen=True)
class Figure:
    """One column of the tables."""

    key: str
    title: str  # a column's head
    says: str  # what it is, in the legend
    unit: str
    digits: int
    more_is_better: bool = True


FIGURES = (
    Figure("tcp1", "TCP 1 >", "TCP, one stream, a to b", "Gb/s", 2),
    Figure("tcp1r", "TCP 1 <", "TCP, one stream, b to a", "Gb/s", 2),
    Figure("tcp4", "TCP 4 >", "TCP, four streams, a to b", "Gb/s", 2),
    Figure("tcp4r", "TCP 4 <", "TCP, four streams, b to a", "Gb/s", 2),
    Figure("bidir", "TCP <>", "TCP, one stream each way at once, sum", "Gb/s", 2),
    Figure("pps", "64 B", "64-byte UDP packets a second that arrive, at the highest rate with at "
           f"most {LOSS_MAX:.0%} lost", "kp/s", 1),
    Figure("flood", "64 B flood", "the same when the sender sends as fast as it can", "kp/s", 1),
    Figure("rtt", "RTT idle", "round trip, idle, median", "us", 0, False),
    Figure("rtt99", "RTT load", "round trip while one TCP stream runs, 99th percentile", "ms", 2,
           False),
    Figure("cpu", "CPU", "CPU seconds of both daemons for each gigabyte (one stream, both ways)",
           "s/GB", 2, False),
    Figure("rss", "memory", "most memory resident, the larger daemon, after all loads", "MiB", 1,
           False),
    Figure("calls", "calls", "system calls of both daemons for each thousand full segments",
           "/1000", 1, False),
)
BY_KEY = {figure.key: figure for figure in FIGURES}


@dataclass
class Run:
    """What one contestant did in one run on one wire."""

    figures: dict = field(default_factory=dict)
    discarded: int = 0
    strangers: list = field(default_factory=list)
    notes: list = field(default_factory=list)


class Course:
    """Takes a contestant that runs through the steps."""

    def __init__(self, rig, product, load_program, trace, seconds, calm):
        self.rig = rig
        self.product = product
        self.seconds = seconds
        self.calm = calm
        self.load_program = load_program
        self.trace = trace
        self.n_bursts = 0
        # A short look is content with a coarser answer.
        self.precision = 1.06 if seconds > 1 else 1.15
        self.run = Run()
        self.to = product.bind_to["b"]

    def measure(self, progress):
        """Every step in turn; progress() gets a few words after each. Returns the Run."""
        server = self.rig.start("b", "iperf3", "iperf3", "-s", "-B", self.to)
        receiver = self.rig.start("b", "udpload", self.load_program, "receive", self.to, PORT_LOAD,
                                  stdin=PIPE, stdout=PIPE, text=True)
        try:
            self.read_line(receiver)  # it is ready
            self.wait_listening()
            self.iperf("-n", "30M")
            for step in STEPS:
                if step is not calls_step or self.trace:
                    progress(self.undisturbed(step, receiver))
                self.product.check_alive()
        finally:
            self.rig.stop(server, receiver)
        return self.run

    def undisturbed(self, step, receiver):
        """One step, again when it was disturbed; returns what it says about itself."""
        tries = []
        for _ in range(TRIES):
            watch, begun = Watch(), time.monotonic()
            figures = step(self, receiver)
            stolen, strangers = watch.shares()
            if stolen > STEAL_MAX:
                self.run.discarded += 1
                continue
            tries.append((strangers, figures))
            if strangers <= self.calm:
                break
        if not tries:
            return "(stolen)"
        strangers, figures = min(tries, key=lambda pair: pair[0])
        if time.monotonic() - begun > 0.2:  # shorter than that, a tick of the clock is much
            self.run.strangers.append(strangers)
        self.run.figures.update(figures)
        return words_of(figures)

    def wait_listening(self):
        if not wait_for(5, lambda: ":5201" in self.rig.on("b", "ss", "-Hltn", "sport = :5201")):
            raise Failed("iperf3 does not listen")

    def iperf(self, *options, before=()):
        """One run of iperf3; the answer's `end`, decoded. `before` goes in front of the command."""
        command = ["exec", "a", "iperf3", "-c", self.to, "-C", "cubic", "-J", *options]
        problem = ""
        for _ in range(5):
            text = run([*before, self.rig.lab, *command], any_end=True, timeout=self.seconds + 30,
                       env=self.rig.environment)
            try:
                answer = json.loads(text)
                problem = answer.get("error", "")
                if not problem and "sum_received" in answer["end"]:
                    return answer["end"]
            except (ValueError, KeyError):
                problem = "its answer cannot be read"
            # The server may still be finishing the run before; anything else is a finding.
            if "busy" not in problem:
                break
            time.sleep(0.2)
        raise Failed(f"iperf3: {problem or 'it ended without a result'}")

    def stream(self, *options):
        return self.iperf("-t", self.seconds, *options)

    def ask(self, receiver):
        """What the receiver of small packets says: burst, packets, seconds."""
        receiver.stdin.write("\n")
        receiver.stdin.flush()
        return self.read_line(receiver).split()

    @staticmethod
    def read_line(receiver):
        if not select.select([receiver.stdout], [], [], 10)[0]:
            raise Failed("udpload does not answer")
        return receiver.stdout.readline().strip()

    def load(self, receiver, rate, seconds):
        """Sends small packets; returns how many a second were sent, and arrived, and the loss."""
        self.n_bursts += 1
        said = self.rig.on("a", self.load_program, "send", self.to, PORT_LOAD, SMALL_BYTES,
                           int(rate), seconds, self.n_bursts).split()
        sent, took = int(said[0]), float(said[1])
        answer, before = None, ["?"]
        while answer != before:  # what queues hold still comes
            before = answer
            time.sleep(0.08)
            answer = self.ask(receiver)
        if int(answer[0]) != self.n_bursts:
            return sent / took, 0.0, 1.0
        received, lasted = int(answer[1]), float(answer[2])
        return sent / took, received / max(took, lasted), 1 - received / max(sent, 1)


def words_of(figures):
    return " ".join(
        f"{BY_KEY[key].title} {value:.{BY_KEY[key].digits}f}"
        for key, value in figures.items() if key in BY_KEY and value is not None
    )


def gigabits(answer):
    return answer["bits_per_second"] / 1e9


def tcp_step(course, _):
    """One stream, each way, with the daemons' CPU time."""
    pids = course.product.pids()
    before = cpu_seconds(pids)
    there = course.stream()["sum_received"]
    back = course.stream("-R")["sum_received"]
    gigabytes = (there["bytes"] + back["bytes"]) / 1e9
    used = cpu_seconds(pids) - before
    return {"tcp1": gigabits(there), "tcp1r": gigabits(back),
            "cpu": used / gigabytes if pids else None}


def streams_step(course, _):
    figures = {"tcp4": gigabits(course.stream("-P", "4")["sum_received"])}
    if course.seconds > 1:  # a short look does without
        figures["tcp4r"] = gigabits(course.stream("-P", "4", "-R")["sum_received"])
    return figures


def bidir_step(course, _):
    end = course.stream("--bidir")
    return {"bidir": gigabits(end["sum_received"]) + gigabits(end["sum_received_bidir_reverse"])}


def pps_step(course, receiver):
    """Floods once; then halves, logarithmically, the range in which the highest rate lies."""
    each = min(max(course.seconds / 4, 0.4), 1.0)
    sent, flood, loss = course.load(receiver, 0, each)
    best = flood if loss <= LOSS_MAX else 0.0
    low, high = max(flood / 4, 1000), min(max(flood * 3, 4000), sent)
    while high / low > course.precision:
        middle = (low * high) ** 0.5
        for _ in range(2):  # one hiccup of the machine is not the contestant's limit
            _, delivered, loss = course.load(receiver, middle, each)
            if loss <= LOSS_MAX:
                break
        if loss <= LOSS_MAX:
            low, best = middle, max(best, delivered)
        else:
            high = middle
    return {"pps": best / 1000 or None, "flood": flood / 1000}


def round_trips(course, count):
    """Round trips in microseconds, sorted; 5 ms between two requests."""
    text = course.rig.on("a", "sh", "-c",
                         f"ping -n -i 0.005 -W 1 -c {count} {course.to} || test $? = 1")
    return sorted(1000 * float(value) for value in re.findall(r"time=([\d.]+) ms", text))


def rtt_step(course, _):
    times = round_trips(course, 200)
    if not times:
        raise Failed("no round trip came back")
    return {"rtt": statistics.median(times)}


def rtt_load_step(course, _):
    seconds = max(course.seconds, 2)
    client = course.rig.start("a", "iperf3-load", "iperf3", "-c", course.to, "-C", "cubic",
                              "-t", round(seconds) + 5)
    try:
        time.sleep(0.5)  # the stream has its speed
        times = round_trips(course, int(200 * (seconds - 1)))
    finally:
        # iperf3 tells its server that it ends when it is interrupted.
        client.send_signal(signal.SIGINT)
        with contextlib.suppress(Exception):
            client.wait(3)
        course.rig.stop(client)
    if len(times) < 50:
        course.run.notes.append("under load most pings were lost")
        return {"rtt99": None}
    return {"rtt99": times[int(len(times) * 0.99)] / 1000}


def memory_step(course, _):
    pids = course.product.pids()
    return {"rss": max(map(peak_memory, pids)) / 2**20} if pids else {}


def calls_step(course, _):
    """Counts system calls while a stream runs: perf where it may, strace where not."""
    pids = course.product.pids()
    if not pids:
        return {}
    output = course.rig.directory / "calls"
    targets = ",".join(map(str, sorted(tree(pids))))
    perf = ["perf", "stat", "-x", ",", "-o", output, "-e", "raw_syscalls:sys_enter",
            "-p", targets, "--"]
    if shutil.which("perf"):
        with contextlib.suppress(Failed):
            end = course.iperf("-t", 1, before=perf)
            count = re.search(r"^(\d+),", output.read_text(), re.M)
            if count:
                return per_thousand(int(count[1]), end)
    return calls_by_strace(course, pids, output)


def calls_by_strace(course, pids, output):
    if not shutil.which("strace"):
        course.run.notes.append("neither perf nor strace counts system calls here")
        return {}
    words = ["strace", "-f", "-c", "-S", "calls", "-o", str(output)]
    for pid in sorted(tree(pids)):
        words += ["-p", str(pid)]
    tracer = course.rig.start("a", "strace", *words)
    try:
        time.sleep(0.5)  # strace says nothing when it is attached
        end = course.iperf("-t", 1)
    finally:
        tracer.send_signal(signal.SIGINT)
        with contextlib.suppress(Exception):
            tracer.wait(3)
        course.rig.stop(tracer)
    # The last line: 100.00, seconds, microseconds for each call, calls, perhaps errors, "total".
    total = re.search(r"^100\.00 .* total$", output.read_text(), re.M)
    return per_thousand(int(total[0].split()[3]), end) if total else {}


def per_thousand(calls, end):
    return {"calls": 1000 * calls / max(end["sum_received"]["bytes"] / SEGMENT_BYTES, 1)}


STEPS = (rtt_step, tcp_step, streams_step, bidir_step, pps_step, rtt_load_step, memory_step,
         calls_step)
