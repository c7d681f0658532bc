"""docs/performance.md, its charts, and the table for a terminal."""

import pathlib

from . import chart
from .results import Results
from .servers import REFERENCE
from .workloads import HIGHEST, KINDS, Workload

DOCUMENT = "performance.md"
CHARTS = "performance"

INTRODUCTION = """\
# Performance beside others

<!-- Written by bench/peers/compare from its measurements; not to be edited by hand. -->

The same work, put to each server in turn by the same generator (`parley-load`), on one machine
one after the other. To make it again, on Debian 12:

    {command}

It installs what is missing (the `[peers]` of `cmake/packages.txt`, and `bench/peers/package.json`
from npm), starts one server at a time, measures, and writes this page and its charts.

* **Alike.** The server has one processor, the generator the other ({cpus}). Every cell is a
  fresh server; the rounds are interleaved: each server once for a workload, then the next workload,
  then all again. Figures are medians of {rounds}{ranges}.
* **Equal bytes.** A delivery of Parley's carries its room, offset, cursor, sender and time beside
  the text, in JSON; others carry less. Each is given so long a text that a receiver reads as many
  bytes for a delivery as of Parley: {frames}.
* **Complete.** Every receiver checks every delivery. Where a server loses some, ends connections,
  or can't be set up for a workload, its reason stands in the place of its figure.
* **Open loop.** Latency counts from the instant at which a message was meant to be sent, at every
  receiver. Processor time is that of the server's process and what it has started, user and system.

Figures of two days don't compare: only those beside each other do.
"""

QUICK_WARNING = """
**These are of `--quick` runs: a fifth of the connections for a second, to see that everything
works. They are not to be quoted.**
"""

EXPLANATIONS = {
    "rate": "Processor time of the server for one delivery, at a rate that all should bear.",
    "latency": "Processor time of the server for one delivery, and when nearly all had it.",
    "highest": "Deliveries a second, at the highest rate that keeps the p99 of the latency within "
    "the bound (`" + " ".join(HIGHEST) + "`).",
    "idle": "What the server's memory (PSS) grows by for a connection that does nothing.",
    "handshakes": "Processor time of the server from the connection to the answered upgrade, 64 at "
    "once as fast as they come.",
    "burst": "From the send to the receipt by the last of all: the median of the messages.",
}


def _columns(workload: Workload) -> list:
    kind = KINDS[workload.kind]
    return [*kind.charted, *kind.beside]


def _note(cell) -> str:
    notes = []
    if cell.faults and cell.good:
        notes.append(f"{len(cell.good)} of {len(cell.rows)} rounds; else " + "; ".join(cell.faults))
    elif cell.faults:
        notes.append("; ".join(cell.faults))
    if cell.generator_limited:
        times = "" if len(cell.rows) == 1 else f" in {cell.generator_limited} of {len(cell.rows)}"
        notes.append(f"the generator was at its limit{times}")
    return "; ".join(notes).replace("|", "\\|")


def _ratio(cell, reference, wanted) -> str:
    own, other = cell.of(wanted), reference.of(wanted)
    if own is None or other is None or other.median == 0:
        return ""
    return f"{own.median / other.median:.2f}"


def workload_table(results: Results, workload: Workload) -> list:
    """Rows of words, the first of them the head."""
    titles = results.titles()
    kind = KINDS[workload.kind]
    charted = [f"{each.label}" for each in kind.charted]
    if workload.kind == "highest":
        charted = [f"{each.label}, {each.unit}" for each in kind.charted]
    head = ["", *charted, "× Parley", *(each.label for each in kind.beside), ""]
    rows = [head]
    reference = results.cell(workload, REFERENCE)
    for name in results.servers:
        cell = results.cell(workload, name)
        if not cell.rows:
            continue
        spreads = [cell.of(each) for each in kind.charted]
        beside = [cell.of(each) for each in kind.beside]
        rows.append(
            [
                titles[name],
                *(chart.described(each) if each else "–" for each in spreads),
                _ratio(cell, reference, kind.charted[0]),
                *(chart.number(each.median) if each else "–" for each in beside),
                _note(cell),
            ]
        )
    return rows


def workload_chart(results: Results, workload: Workload) -> str:
    """The SVG: the first charted figure, or both where they share their unit."""
    kind = KINDS[workload.kind]
    shown = [each for each in kind.charted if each.unit == kind.charted[0].unit]
    titles = results.titles()
    groups = []
    for name in results.servers:
        cell = results.cell(workload, name)
        if not cell.rows:
            continue
        reason = "; ".join(cell.faults)
        reason = reason if len(reason) <= 75 else reason[:74] + "…"
        bars = tuple(chart.Bar(cell.of(each), reason) for each in shown)
        groups.append(chart.Group(titles[name], bars, name == REFERENCE))
    unit = f"{kind.charted[0].label}; {kind.better}"
    if workload.kind == "highest":
        unit = f"thousand deliveries a second; {kind.better}"
    return chart.svg(
        f"{workload.name}: {workload.title}", unit, [each.label for each in shown], groups
    )


def _markdown(rows) -> str:
    head, *rest = rows
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 2) + " --- |"]
    lines += ["| " + " | ".join(row) + " |" for row in rest]
    return "\n".join(lines)


def _glance(results: Results) -> str:
    titles = results.titles()
    lines = ["| | | " + " | ".join(titles[name] for name in results.servers) + " |"]
    lines.append("| --- | --- |" + " ---: |" * len(results.servers))
    for workload in results.workloads:
        for wanted in KINDS[workload.kind].charted:
            cells = (results.cell(workload, name) for name in results.servers)
            spreads = [cell.of(wanted) for cell in cells]
            words = " | ".join(chart.number(each.median) if each else "–" for each in spreads)
            what = wanted.label
            if workload.kind == "highest":
                what = f"deliveries, k/s, {wanted.label}"
            lines.append(f"| [{workload.name}](#{_anchor(workload)}) | {what} | {words} |")
    return "\n".join(lines)


def _heading(workload: Workload) -> str:
    return f"{workload.name}: {workload.title}"


def _anchor(workload: Workload) -> str:
    kept = (c for c in _heading(workload).lower() if c.isalnum() or c in " -")
    return "".join(kept).replace(" ", "-")


def _frames(session) -> str:
    frames = session.get("frames", {})
    if REFERENCE not in frames:
        return "not measured"
    own = frames[REFERENCE]["bytes"]
    payloads = (
        f"{session['servers'][name]['title']} {frame['payload']}"
        for name, frame in frames.items()
        if name in session["servers"]
    )
    return f"{own:.0f} for a text of 128 bytes ({', '.join(payloads)})"


def _session(results: Results) -> dict:
    """The last session, with what the earlier ones know of other servers."""
    merged = {"servers": {}, "frames": {}}
    for session in results.sessions:
        servers = {**merged["servers"], **session["servers"]}
        frames = {**merged["frames"], **session.get("frames", {})}
        merged = {**merged, **session, "servers": servers, "frames": frames}
    return merged


def _commands(results: Results) -> list:
    return list(dict.fromkeys(session["command"] for session in results.sessions))


def _measured_on(results: Results, session: dict) -> str:
    machine = session["machine"]
    days = sorted({session["at"][:10] for session in results.sessions})
    lines = [
        "## Measured on",
        "",
        f"{' to '.join(dict.fromkeys((days[0], days[-1])))}: {machine['processors']} × "
        f"{machine['processor']}, {machine['memory_gib']} GiB, {machine['kernel']}, "
        f"{machine['system']}.",
        "",
        "| | version | what it is asked to do |",
        "| --- | --- | --- |",
    ]
    for name in results.servers:
        server = session["servers"].get(name, {"title": name, "version": "", "what": ""})
        lines.append(f"| {server['title']} | {server['version']} | {server['what']} |")
    return "\n".join(lines)


def markdown(results: Results) -> str:
    """The whole page. Raises ValueError where there is no session to tell of."""
    if not results.sessions:
        raise ValueError("the results name no session: no machine, no command")
    session = _session(results)
    rounds = "one round" if results.rounds == 1 else f"{results.rounds} rounds"
    parts = [
        INTRODUCTION.format(
            command="\n    ".join(_commands(results)),
            cpus=f"`--cpus {session['cpus']}`",
            rounds=rounds,
            ranges="" if results.rounds == 1 else ", the lowest and the highest in brackets",
            frames=_frames(session),
        )
        + (QUICK_WARNING if any(row["quick"] for row in results.sessions) else ""),
        _measured_on(results, session),
        "## At a glance\n\n" + _glance(results),
    ]
    for workload in results.workloads:
        parts.append(
            f"## {_heading(workload)}\n\n{EXPLANATIONS[workload.kind]}\n\n"
            f"![{_heading(workload)}]({CHARTS}/{workload.name}.svg)\n\n"
            + _markdown(workload_table(results, workload))
        )
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def write(results: Results, folder: pathlib.Path) -> pathlib.Path:
    """Writes the page and a chart a workload; charts of workloads that are no more go."""
    charts = folder / CHARTS
    charts.mkdir(parents=True, exist_ok=True)
    page = markdown(results)
    for old in charts.glob("*.svg"):
        old.unlink()
    for workload in results.workloads:
        (charts / f"{workload.name}.svg").write_text(workload_chart(results, workload))
    path = folder / DOCUMENT
    path.write_text(page)
    return path


def plain(results: Results) -> str:
    """The tables as text in columns."""
    out = []
    for workload in results.workloads:
        rows = workload_table(results, workload)
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        out.append(_heading(workload))
        for row in rows:
            first = row[0].ljust(widths[0])
            rest = (cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1]))
            out.append("  ".join([first, *rest, row[-1]]).rstrip())
        out.append("")
    return "\n".join(out)
