"""The comparison as a picture: panels of horizontal bars, written as SVG by hand.

Colours are classes that follow the reader's light or dark mode; text is text, so that it stays
sharp and can be searched. A bar is the median, the thin line over its end goes from the lowest to
the highest run.
"""

from html import escape

from measures import BY_KEY
from report import BARE, REFERENCE, REFERENCE_TAP

STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #24292f }
.page { fill: #ffffff; stroke: #d0d7de }
.title { font-size: 17px; font-weight: 600 }
.head { font-size: 13px; font-weight: 600 }
.note { font-size: 11px; fill: #57606a }
.own { font-weight: 600 }
.bar { fill: #afb8c1 }
.bar-own { fill: #1a7f64 }
.range { stroke: #57606a; stroke-width: 1 }
.axis { stroke: #d0d7de; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.page { fill: #0d1117; stroke: #30363d }
.note { fill: #9198a1 }
.bar { fill: #57606a }
.bar-own { fill: #2fbf94 }
.range { stroke: #9198a1 }
.axis { stroke: #30363d }
}
"""

# What is drawn: figure and wire; the first wire that was measured stands in for a missing one.
PANELS = (
    ("tcp1", "plain"), ("tcp1", "segmented"),
    ("tcp4", "plain"), ("pps", "segmented"),
    ("rtt99", "segmented"), ("cpu", "segmented"),
    ("rtt", "segmented"), ("rss", "segmented"),
)
WIRE_SAYS = {"plain": "plain veth", "segmented": "veth, segmentation off"}
HEADS = {
    "tcp1": "TCP, one stream", "tcp4": "TCP, four streams", "pps": "64-byte UDP packets delivered",
    "rtt99": "Round trip under load, 99th percentile", "rtt": "Round trip, idle, median",
    "cpu": "CPU time for a gigabyte, both ends", "rss": "Memory, most resident",
}
UNITS = {"kp/s": "thousand/s", "us": "µs"}

MARGIN, GAP, WIDTH = 20, 28, 880
PANEL = (WIDTH - 2 * MARGIN - GAP) / 2
ROW, BAR, LABEL, VALUE = 20, 13, 180, 50
HEAD_HEIGHT, TOP = 46, 62


def number(value):
    """Three digits that matter, no more."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def text(x, y, words, kind="", anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">'
            f"{escape(words)}</text>")


def panel(results, key, wire, x, y, names):
    """One panel as lines of SVG."""
    figure = BY_KEY[key]
    unit = UNITS.get(figure.unit, figure.unit)
    spreads = {name: results.spread(wire, name, key) for name in names}
    top = max((spread.high for spread in spreads.values() if spread), default=1) or 1
    scale = (PANEL - LABEL - VALUE) / top
    note = f"{unit}, {'more' if figure.more_is_better else 'less'} is better; {WIRE_SAYS[wire]}"
    bare = results.spread(wire, BARE, key)
    if bare:
        note += f"; no VPN: {number(bare.median)}"
    lines = [text(x, y + 14, HEADS[key], "head"), text(x, y + 30, note, "note")]
    left = x + LABEL
    for i, name in enumerate(names):
        row = y + HEAD_HEIGHT + i * ROW
        own = name.startswith("vpnd")
        spread = spreads[name]
        lines.append(text(left - 8, row + 10.5, name, "own" if own else "", "end"))
        if not spread:
            lines.append(text(left + 6, row + 10.5, "not measured", "note"))
            continue
        width = max(spread.median * scale, 1)
        lines.append(f'<rect x="{left:.1f}" y="{row:.1f}" width="{width:.1f}" height="{BAR}" '
                     f'rx="2" class="{"bar-own" if own else "bar"}"/>')
        middle = row + BAR / 2
        if (spread.high - spread.low) * scale > 2:
            lines.append(f'<path d="M{left + spread.low * scale:.1f} {middle:.1f}'
                         f'H{left + spread.high * scale:.1f}" class="range"/>')
        end = left + max(width, spread.high * scale)
        lines.append(text(end + 6, row + 10.5, number(spread.median), "own" if own else ""))
    bottom = y + HEAD_HEIGHT + len(names) * ROW - 4
    lines.append(f'<path d="M{left - 0.5:.1f} {y + HEAD_HEIGHT - 4:.1f}V{bottom:.1f}" '
                 'class="axis"/>')
    return lines


def draw(results):
    """The whole picture as text."""
    data = results.data
    seen, chosen = set(), []
    for key, wire in PANELS:
        wire = wire if wire in results.wires else next(iter(results.wires), None)
        if wire and (key, wire) not in seen:
            seen.add((key, wire))
            chosen.append((key, wire))
    names = []
    for wire in results.wires:
        names += [name for name in results.names(wire) if name not in names and name != BARE]
    references = (REFERENCE, REFERENCE_TAP)
    names.sort(key=lambda name: (not name.startswith("vpnd"), name not in references))
    height_panel = HEAD_HEIGHT + len(names) * ROW + 18
    height = TOP + (len(chosen) + 1) // 2 * height_panel + 44
    machine = data["machine"]
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label="vpnd compared with other userspace VPNs">',
        f"<style>{STYLE}</style>",
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6" class="page"/>',
        text(MARGIN, 30, "Userspace VPNs on one machine" +
             (", Ethernet frames" if data.get("mode") == "tap" else ""), "title"),
        text(MARGIN, 48, "a single run, a rough answer" if data["n_runs"] == 1 else
             f"median of {data['n_runs']} interleaved runs; the thin line goes from the lowest to "
             "the highest", "note"),
    ]
    lines = []
    for i, (key, wire) in enumerate(chosen):
        x = MARGIN + (i % 2) * (PANEL + GAP)
        lines += panel(results, key, wire, x, TOP + i // 2 * height_panel, names)
    versions = [product["short"] for product in data["contestants"].values() if product["short"]]
    foot = [
        text(MARGIN, height - 28, f"{machine['cores']} cores of {machine['cpu']}, Linux "
             f"{machine['kernel'].split('-')[0]}, tunnel MTU {data['mtu']}, {data['date'][:10]}",
             "note"),
        text(MARGIN, height - 12, ", ".join(dict.fromkeys(versions)), "note"),
        "</svg>",
    ]
    return "\n".join([*head, *lines, *foot]) + "\n"
