"""The comparison as it runs: small, but with real servers.

usage: peers_smoke_test.py PARLEYD PARLEY_LOAD MODULES
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPARE = ROOT / "bench/peers/compare"
sys.path.insert(0, str(ROOT / "bench/peers"))

from comparison import measure, session  # noqa: E402
from comparison.servers import SERVERS, Place  # noqa: E402
from comparison.workloads import WORKLOADS  # noqa: E402

PARLEYD = PARLEY_LOAD = MODULES = pathlib.Path()
CONNECTIONS = 20
KINDS_AND_TLS = ["C1", "C1s", "C2", "W1", "W3", "W3s", "W4", "W5", "W5s", "W6"]
PATIENCE_S = 60


def small(workload):
    """The same for a second, with few connections."""
    short = {"connections": CONNECTIONS, "rooms": min(workload.rooms, 4), "ramp_s": 0}
    rate = min(workload.rate, 100)
    search = ("--find-max", "--p99-max", "25ms,200ms", "--step-duration", "200ms")
    short["options"] = (*search, "--max-rate", "200") if workload.kind == "highest" else ()
    return dataclasses.replace(workload, **short, rate=rate, spread=1, warmup_s=0, duration_s=1)


class Smoke(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        scratch = pathlib.Path(self.folder.name)
        place = Place(PARLEYD, PARLEY_LOAD, MODULES, scratch)
        processors = os.sched_getaffinity(0)
        self.bench = measure.Bench(place, processors, processors, measure.make_certificate(scratch))

    def rows_of(self, names, works):
        servers = {name: SERVERS[name] for name in names}
        keeper = session.Keeper(pathlib.Path(self.folder.name) / "r.jsonl")
        known = session.measure_frames(self.bench, servers, keeper)
        workloads = [small(WORKLOADS[name]) for name in works]
        session.run(self.bench, keeper, servers, workloads, known, 1)
        return known[0], {(row["work"], row["server"]): row for row in keeper.rows}

    def test_every_kind_of_workload_gives_its_figures(self):
        _, rows = self.rows_of(["parleyd"], KINDS_AND_TLS)
        self.assertEqual(len(rows), len(KINDS_AND_TLS))
        for (work, _), row in rows.items():
            self.assertEqual(row["fault"], "", work)
            charted = WORKLOADS[work].of_kind.charted
            # Whether anything is delivered within 25 ms is the machine's affair.
            for wanted in charted[:1] if WORKLOADS[work].kind == "highest" else charted:
                told = session.outcome(row, WORKLOADS[work])
                figure = told.split(f"{wanted.label}: ")[1]
                self.assertFalse(figure.startswith("–"), f"{work}: {told}")

    def test_servers_of_npm_get_frames_as_long_as_ours(self):
        if not (MODULES / "node_modules/ws").is_dir():
            # Then the reason stands where the figure would: that is to be seen here.
            with self.assertRaisesRegex(measure.CannotMeasure, "as it started: "):
                measure.bytes_of_a_delivery(self.bench, SERVERS["ws"])
            return
        frames, rows = self.rows_of(["parleyd", "ws"], ["C1", "C1s"])
        self.assertGreater(frames["ws"]["payload"], frames["parleyd"]["payload"])
        for work in ("C1", "C1s"):
            ours, theirs = (rows[work, name] for name in ("parleyd", "ws"))
            self.assertEqual((ours["fault"], theirs["fault"]), ("", ""))
            lengths = [row["report"]["bytes_per_delivery"] for row in (ours, theirs)]
            # The digits of an offset, and of a member's number.
            self.assertAlmostEqual(lengths[0], lengths[1], delta=10)

    def test_a_server_that_is_not_there_is_shown_with_its_reason(self):
        gone = dataclasses.replace(SERVERS["ws"], command=lambda _: ["/no/such/program"])
        row = measure.measure(self.bench, gone, small(WORKLOADS["C1"]), 200, 1)
        self.assertEqual(row["fault"], "/no/such/program is not installed")
        self.assertNotIn("report", row)

    def test_an_interruption_ends_the_server_and_keeps_what_was_measured(self):
        folder = pathlib.Path(self.folder.name)
        build = folder / "build"
        build.mkdir()
        for program in (PARLEYD, PARLEY_LOAD):
            (build / program.name).symlink_to(program)
        processor = sorted(os.sched_getaffinity(0))[0]
        command = [COMPARE, "--no-install", "--build", build, "--out", folder / "out.jsonl",
                   "--docs", folder, "--servers", "parleyd", "--work", "C1",
                   "--cpus", f"{processor}/{processor}"]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, **streams) as run:
            server = self.await_server(run.pid)
            run.send_signal(signal.SIGINT)
            _, complaint = run.communicate(timeout=PATIENCE_S)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("interrupted", complaint)
        self.assertFalse(pathlib.Path(f"/proc/{server}").exists())

    def await_server(self, pid):
        """The process of the server that a run has started."""
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        while True:
            for child in children.read_text().split():
                # One that has just ended has no name any more.
                with contextlib.suppress(OSError):
                    if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "parleyd":
                        return child

    def test_results_are_lines_of_json(self):
        _, rows = self.rows_of(["parleyd"], ["C1"])
        text = (pathlib.Path(self.folder.name) / "r.jsonl").read_text()
        self.assertEqual([json.loads(line) for line in text.splitlines()], list(rows.values()))


if __name__ == "__main__":
    PARLEYD, PARLEY_LOAD, MODULES = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
    unittest.main(argv=sys.argv[:1], verbosity=2)
