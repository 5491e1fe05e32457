"""What the runs say together: medians, spreads, ratios, as text, as Markdown and as JSON.

A ratio is taken inside each run, between two contestants that were measured minutes apart on the
same wire; the median of these ratios is shown, so that a machine that was slower for a while does
not favour anybody.
"""

import json
import statistics
from dataclasses import dataclass

from measures import FIGURES
from rig import WIRES

REFERENCE = "wireguard-go"
REFERENCE_TAP = "fastd-tap"  # of what carries frames the fastest that is not vpnd
BARE = "bare veth"


@dataclass(frozen=True)
class Spread:
    median: float
    low: float
    high: float


class Results:
    """All runs: data["runs"][wire][contestant] has an entry for each run, None if it failed."""

    def __init__(self, data):
        self.data = data

    @property
    def wires(self):
        return [wire for wire in self.data["runs"] if self.names(wire)]

    def names(self, wire):
        return [name for name, runs in self.data["runs"][wire].items() if any(runs)]

    def values(self, wire, name, key):
        """One entry for each run: a number, or None."""
        runs = self.data["runs"].get(wire, {}).get(name, [])
        return [(run or {}).get("figures", {}).get(key) for run in runs]

    def spread(self, wire, name, key):
        values = [value for value in self.values(wire, name, key) if value is not None]
        return Spread(statistics.median(values), min(values), max(values)) if values else None

    def ratio(self, wire, name, key, reference):
        pairs = zip(self.values(wire, name, key), self.values(wire, reference, key))
        ratios = [own / other for own, other in pairs if own is not None and other]
        return statistics.median(ratios) if ratios else None


def median_text(figure, spread):
    return f"{spread.median:.{figure.digits}f}" if spread else "-"


def range_text(figure, spread):
    if not spread:
        return "-"
    digits = figure.digits
    return f"{spread.median:.{digits}f} ({spread.low:.{digits}f}..{spread.high:.{digits}f})"


def ratio_text(value):
    if value is None:
        return "-"
    return f"{value:.2f}x" if value >= 0.1 else f"{value:.3f}x"


def ratio_rows(results, wire, reference, keys=None):
    figures = [f for f in FIGURES if (not keys or f.key in keys)]
    names = results.names(wire)
    figures = [f for f in figures if any(results.spread(wire, name, f.key) for name in names)]
    head = ["", *(figure.title for figure in figures)]
    rows = [
        [name, *(ratio_text(results.ratio(wire, name, f.key, reference)) for f in figures)]
        for name in names
    ]
    return head, rows


def value_rows(results, wire, keys):
    figures = [figure for figure in FIGURES if figure.key in keys]
    head = ["", *(f"{figure.title} {figure.unit}" for figure in figures)]
    rows = [
        [name, *(range_text(f, results.spread(wire, name, f.key)) for f in figures)]
        for name in results.names(wire)
    ]
    return head, rows


def text_table(head, rows):
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = []
    for row in [head, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    return lines


def plain(text):
    """Text that Markdown does not take for HTML."""
    return text.replace("<", "&lt;").replace(">", "&gt;")


def markdown_table(head, rows):
    def line(cells):
        return "| " + " | ".join(map(plain, cells)) + " |"
    return [line(head), "|---|" + "---:|" * (len(head) - 1), *map(line, rows)]


THROUGHPUT = ("tcp1", "tcp1r", "tcp4", "tcp4r", "bidir")
PACKETS = ("pps", "flood", "rtt", "rtt99")
COSTS = ("cpu", "rss", "calls")


def tables(results, wire):
    """Every table of a wire: title, head, rows."""
    for reference in (REFERENCE, REFERENCE_TAP):
        if reference in results.names(wire):
            yield f"Ratio to {reference}", *ratio_rows(results, wire, reference)
    if BARE in results.names(wire):
        keys = (*THROUGHPUT, *PACKETS)
        yield f"Ratio to {BARE}", *ratio_rows(results, wire, BARE, keys)
    for keys in (THROUGHPUT, PACKETS, COSTS):
        head, rows = value_rows(results, wire, keys)
        yield "Median (lowest..highest)", head, rows


def facts(data):
    """What was measured, where and when: lines of (name, text)."""
    machine = data["machine"]
    yield "date", data["date"]
    yield "machine", f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB"
    yield "kernel", machine["kernel"]
    yield "runs", (f"{data['n_runs']} of each, interleaved, {data['seconds']} s for each TCP "
                   f"figure, iperf3 -C cubic; tunnel MTU {data['mtu']}, "
                   f"queue {data['queue']} packets")
    yield "tools", "; ".join(data["tools"])
    yield "disturbance", disturbance(data)
    for name, product in data["contestants"].items():
        yield name, "; ".join(filter(None, (product["version"], product["setup"])))


def disturbance(data):
    runs = [run for wire in data["runs"].values() for runs in wire.values() for run in runs if run]
    strangers = [share for run in runs for share in run["strangers"]]
    discarded = sum(run["discarded"] for run in runs)
    text = f"{discarded} steps thrown away because more than 1 % of the CPU time was stolen"
    if data["nice"]:
        text += f"; everything that took part had nice {data['nice']}"
    if strangers:
        text += ("; other processes of this machine took "
                 f"{statistics.median(strangers):.1f} % of it (median; at most "
                 f"{max(strangers):.0f} %)")
    return text


def problems(data):
    yield from data["not_measured"].items()
    for wire, contestants in data["failures"].items():
        for name, reasons in contestants.items():
            yield f"{name} on {wire}", (f"{len(reasons)} of {data['n_runs']} runs failed: "
                                      f"{reasons[-1]}")


def as_text(results):
    lines = []
    for wire in results.wires:
        lines += ["", f"=== {WIRES[wire][0]} ==="]
        for title, head, rows in tables(results, wire):
            lines += ["", title, *text_table(head, rows)]
    lines += [""]
    lines += [f"{f.title:<11} {f.says}, {f.unit}; "
              f"{'more' if f.more_is_better else 'less'} is better" for f in FIGURES]
    lines += [""] + [f"{name:<24} {text}" for name, text in facts(results.data)]
    missing = list(problems(results.data))
    if missing:
        lines += ["", "Not measured:"] + [f"  {name}: {reason}" for name, reason in missing]
    return "\n".join(lines)


def as_markdown(results):
    lines = []
    for wire in results.wires:
        lines += [f"### On {WIRES[wire][0]}", ""]
        for title, head, rows in tables(results, wire):
            lines += [f"{title}:", "", *markdown_table(head, rows), ""]
    lines += [plain(f"- *{f.title}*: {f.says}, {f.unit}") for f in FIGURES]
    lines += [""] + [f"- {name}: {text}" for name, text in facts(results.data)]
    missing = list(problems(results.data))
    if missing:
        lines += ["", "Not measured:", ""] + [f"- {name}: {reason}" for name, reason in missing]
    return "\n".join(lines) + "\n"


def save(results, directory, stem):
    """Writes JSON and Markdown; returns their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = directory / f"{stem}.json", directory / f"{stem}.md"
    paths[0].write_text(json.dumps(results.data, indent=1) + "\n")
    paths[1].write_text(as_markdown(results))
    return paths
