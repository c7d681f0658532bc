"""Rows of a file of results, what they sum up to."""

import json
import statistics
from dataclasses import dataclass
from typing import Optional

from .workloads import WORKLOADS, Figure, Workload, figure


GENERATOR_LIMITED = 2  # parley-load's exit status


@dataclass(frozen=True)
class Spread:
    """The median of the rounds, and the lowest and highest of them."""

    median: float
    low: float
    high: float
    rounds: int


def spread(values) -> Optional[Spread]:
    """Nothing where there are no values."""
    values = sorted(values)
    if not values:
        return None
    return Spread(statistics.median(values), values[0], values[-1], len(values))


def read_rows(paths) -> list:
    """All rows of the files. Raises ValueError that names file and line."""
    rows = []
    for path in paths:
        with open(path) as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                    row["kind"]
                except (ValueError, KeyError, TypeError):
                    raise ValueError(f"{path}:{number}: not a row of results") from None
                rows.append(row)
    return rows


@dataclass(frozen=True)
class Cell:
    """What a server made of a workload, over all rounds."""

    rows: tuple

    @property
    def good(self) -> list:
        return [row["report"] for row in self.rows if not row["fault"]]

    @property
    def faults(self) -> list:
        """The reasons of rounds that do not count, each once."""
        return list(dict.fromkeys(row["fault"] for row in self.rows if row["fault"]))

    def of(self, wanted: Figure) -> Optional[Spread]:
        values = (figure(report, wanted) for report in self.good)
        return spread(value for value in values if value is not None)

    @property
    def generator_limited(self) -> int:
        """In how many rounds the generator had no more to give."""
        return sum(report.get("exit_code") == GENERATOR_LIMITED for report in self.good)


class Results:
    """The cells of rows whose workloads are still known, in the order of both tables."""

    def __init__(self, rows, servers):
        self.sessions = [row for row in rows if row["kind"] == "session"]
        self._cells = {}
        for row in rows:
            if row["kind"] != "cell":
                continue
            self._cells.setdefault((row["work"], row["server"]), []).append(row)
        measured = {server for _, server in self._cells}
        self.servers = [name for name in servers if name in measured]
        self.servers += sorted(measured - set(self.servers))
        self.workloads = [
            work for work in WORKLOADS.values() if any(name == work.name for name, _ in self._cells)
        ]

    def cell(self, workload: Workload, server: str) -> Cell:
        return Cell(tuple(self._cells.get((workload.name, server), ())))

    @property
    def rounds(self) -> int:
        return max((len(rows) for rows in self._cells.values()), default=0)

    def titles(self) -> dict:
        """The name that is shown for each server."""
        told = {}
        for session in self.sessions:
            told.update({name: server["title"] for name, server in session["servers"].items()})
        return {name: told.get(name, name) for name in self.servers}
