"""One run of the comparison: frames first, then the cells that are not kept yet, interleaved."""

import datetime
import json
import pathlib
import time

from . import chart, machine, measure
from .results import Cell, read_rows
from .servers import REFERENCE
from .setup import fingerprint
from .workloads import FRAME


class Keeper:
    """The file of results: what it holds, and what is added."""

    def __init__(self, path: pathlib.Path, fresh: bool = False):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if fresh and path.exists():
            path.rename(path.with_name(path.name + ".old"))
        self.rows = read_rows([path]) if path.exists() else []

    def add(self, row: dict):
        self.rows.append(row)
        with open(self.path, "a") as out:
            out.write(json.dumps(row, separators=(",", ":")) + "\n")

    def holds(self, work: str, server: str, number: int) -> bool:
        wanted = ("cell", work, server, number)
        keys = ("kind", "work", "server", "round")
        return any(tuple(row.get(key) for key in keys) == wanted for row in self.rows)

    @property
    def sessions(self) -> list:
        return [row for row in self.rows if row["kind"] == "session"]

    def frame_of(self, server: str):
        """Bytes of a delivery, as an earlier session has measured it; nothing where none has."""
        for session in reversed(self.sessions):
            if server in session["frames"]:
                return session["frames"][server]["bytes"]
        return None


def say(text: str):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def measure_frames(bench, servers: dict, keeper: Keeper) -> tuple:
    """({server: {bytes, payload}}, {server: why not}): with these payloads all deliveries are as
    long as Parley's. Raises CannotMeasure where Parley's own can't be told."""
    frames, faults = {}, {}
    for name, server in servers.items():
        try:
            told = keeper.frame_of(name) or measure.bytes_of_a_delivery(bench, server)
            frames[name] = {"bytes": told}
        except measure.CannotMeasure as error:
            faults[name] = str(error)
            say(f"bytes of a delivery, {name}: {error}")
    if REFERENCE not in frames:
        raise measure.CannotMeasure(f"{REFERENCE} can't be measured: {faults[REFERENCE]}")
    for frame in frames.values():
        longer = round(frames[REFERENCE]["bytes"] - frame["bytes"])
        frame["payload"] = FRAME.text_bytes + longer
    return frames, faults


def describe(bench, servers: dict, frames: dict, command: str, cpus: str) -> dict:
    """The row that tells on what, with what and how the cells behind it were measured."""
    told = {
        name: {
            "title": server.title,
            "what": server.what,
            "version": server.version(bench.place),
        }
        for name, server in servers.items()
    }
    return {
        "kind": "session",
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": command,
        "cpus": cpus,
        "machine": machine.described(),
        "parleyd": fingerprint(bench.place.parleyd),
        "servers": told,
        "frames": frames,
    }


def outcome(row: dict, workload) -> str:
    """A cell in a line."""
    if row["fault"]:
        return row["fault"]
    cell = Cell((row,))
    figures = ((each.label, cell.of(each)) for each in workload.of_kind.charted)
    return ", ".join(f"{label}: {chart.described(got) if got else '–'}" for label, got in figures)


def run(bench, keeper: Keeper, servers: dict, workloads: list, known: tuple, rounds: int):
    """Measures every cell that is not kept yet; `known` is what measure_frames() returned."""
    frames, faults = known
    for number in range(1, rounds + 1):
        for workload in workloads:
            for name, server in servers.items():
                if keeper.holds(workload.name, name, number):
                    continue
                began = time.monotonic()
                payload = frames.get(name, frames[REFERENCE])["payload"]
                payload += workload.text_bytes - FRAME.text_bytes
                row = measure.measure(bench, server, workload, payload, number)
                if name in faults and not row["fault"] and workload.of_kind.delivers:
                    row["fault"] = f"bytes of a delivery unknown: {faults[name]}"
                keeper.add(row)
                took = f"{time.monotonic() - began:.0f} s"
                say(f"round {number} {workload.name} {name}: {outcome(row, workload)} ({took})")
