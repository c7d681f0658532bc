"""The comparison without measuring: what is defined, summed up, drawn and written.

usage: peers_test.py
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPARE = ROOT / "bench/peers/compare"
sys.path.insert(0, str(ROOT / "bench/peers"))

from comparison import chart, document, measure, processes, results, servers, session  # noqa: E402
from comparison.results import Results, Spread, spread  # noqa: E402
from comparison.servers import SERVERS, Place, Start, extra_server, filled  # noqa: E402
from comparison.workloads import FRAME, KINDS, WORKLOADS, figure, quick  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


def report_of(kind, value, **more):
    """A report in which the first charted figure of a kind has this value, unscaled."""
    report = {"exit_code": 0, "generator_limited": False, **more}
    for wanted in KINDS[kind].charted:
        inner = report
        *way, last = wanted.path.split(".")
        for step in way:
            inner = inner.setdefault(step, {})
        inner[last] = value
    return report


def row(work, server, value, number=1, fault=""):
    kind = WORKLOADS[work].kind
    told = {"kind": "cell", "work": work, "server": server, "round": number, "fault": fault}
    if value is not None:
        told["report"] = report_of(kind, value)
    return told


def runs(pid):
    """Neither gone nor waiting to be reaped."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


SESSION = {
    "kind": "session",
    "at": "2026-01-02T03:04:05+00:00",
    "command": "bench/peers/compare --reps 3",
    "cpus": "0/1",
    "machine": {
        "processor": "Some processor",
        "processors": 2,
        "memory_gib": 7.8,
        "kernel": "Linux 6.1",
        "system": "Debian 12",
    },
    "parleyd": "abc",
    "quick": False,
    "servers": {
        name: {"title": server.title, "what": server.what, "version": "1.2.3"}
        for name, server in SERVERS.items()
    },
    "frames": {name: {"bytes": 273, "payload": 269} for name in SERVERS},
}


def three_rounds():
    """Every workload and server, with a server that fails always and one that fails once."""
    rows = [SESSION]
    for work in WORKLOADS:
        for place, name in enumerate(SERVERS):
            for number in (1, 2, 3):
                fault = ""
                if name == "flask" or (name == "nats" and number == 2):
                    fault = "12.5% of the deliveries did not arrive | <late>"
                value = None if name == "flask" else 1000.0 * (place + 1) + number
                rows.append(row(work, name, value, number, fault))
    return rows


class Sums(unittest.TestCase):
    def test_a_spread_is_the_median_with_the_lowest_and_the_highest(self):
        self.assertEqual(spread([3.0, 1.0, 2.0]), Spread(2.0, 1.0, 3.0, 3))
        self.assertEqual(spread([4.0, 1.0]), Spread(2.5, 1.0, 4.0, 2))
        self.assertEqual(spread([7.0]), Spread(7.0, 7.0, 7.0, 1))
        self.assertIsNone(spread([]))

    def test_rounds_that_do_not_count_are_left_out_and_told(self):
        rows = [row("C1", "bun", number, number) for number in (1, 3)]
        rows.append(row("C1", "bun", 100, 2, "lost some"))
        cell = Results(rows, SERVERS).cell(WORKLOADS["C1"], "bun")
        self.assertEqual(cell.of(KINDS["rate"].charted[0]), Spread(2, 1, 3, 2))
        self.assertEqual(cell.faults, ["lost some"])

    def test_figures_are_found_and_scaled(self):
        report = {"latency_us": {"p99": 2500}, "server": None}
        self.assertEqual(figure(report, KINDS["latency"].charted[1]), 2.5)
        self.assertIsNone(figure(report, KINDS["rate"].charted[0]))
        self.assertIsNone(figure({}, KINDS["idle"].charted[0]))

    def test_memory_is_what_was_added_for_each_connection(self):
        report = {
            "connections": {"opened": 1000},
            "server": {"pss_kib_before_ramp": 5000, "pss_kib_connected": 6000},
        }
        self.assertEqual(measure.bytes_per_connection(report), 1024)
        nobody = {"connections": {"opened": 0}, "server": None}
        self.assertIsNone(measure.bytes_per_connection(nobody))

    def test_numbers_have_three_digits_that_count(self):
        shown = {0: "0", 0.01234: "0.0123", 3.456: "3.46", 34.56: "34.6", 345.6: "346"}
        shown.update({99.96: "100", 12345.6: "12,346"})
        for value, words in shown.items():
            self.assertEqual(chart.number(value), words)

    def test_a_fault_of_the_run_is_put_in_words(self):
        good = {"exit_code": 0, "connections": {"asked": 10, "failed": 0}, "remarks": ["Fine."],
                "deliveries": {"expected": 1000, "lost": 0, "announced": 0}}
        self.assertEqual(measure.fault_of(good, WORKLOADS["C1"]), "")
        limited = {**good, "exit_code": 2}
        self.assertEqual(measure.fault_of(limited, WORKLOADS["C1"]), "")
        missing = {"expected": 1000, "lost": 20, "announced": 5}
        lost = {**good, "exit_code": 1, "deliveries": missing}
        self.assertEqual(
            measure.fault_of(lost, WORKLOADS["C1"]), "2.5% of the deliveries did not arrive"
        )
        failed = {**good, "connections": {"asked": 10, "failed": 3}}
        self.assertEqual(measure.fault_of(failed, WORKLOADS["W3"]), "3 of 10 connections failed")
        doubled = {**good, "deliveries": {"expected": 9, "lost": 0, "announced": 0, "duplicate": 1},
                   "highest": {"25ms": {"rate": 5}}}
        for work in ("C1", "W1"):
            self.assertIn("came twice", measure.fault_of(doubled, WORKLOADS[work]))
        unborne = {**good, "highest": {"25ms": {"rate": None}, "200ms": {"rate": None}}}
        self.assertEqual(
            measure.fault_of(unborne, WORKLOADS["W1"]), "no rate was found that it bears"
        )
        dropped = {**good, "exit_code": 1, "remarks": ["2 connections were ended."]}
        self.assertEqual(measure.fault_of(dropped, WORKLOADS["W4"]), "2 connections were ended.")


class Definitions(unittest.TestCase):
    def place(self, folder):
        nowhere = pathlib.Path("/nowhere")
        return Place(nowhere / "parleyd", nowhere / "parley-load", nowhere, folder, 1)

    def test_every_server_starts_plain_and_over_tls_and_has_a_target(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for server in SERVERS.values():
                for certificate in (None, ("/c.pem", "/k.pem")):
                    start = Start(self.place(folder), 4711, folder, certificate)
                    command = [str(word) for word in server.command(start)]
                    written = " ".join(file.read_text() for file in folder.iterdir())
                    told = " ".join(command) + written
                    self.assertIn("4711", told, server.name)
                    self.assertEqual("/k.pem" in told, certificate is not None, server.name)
                    self.assertIsNone(re.search(r"\{(port|tls|folder|workers|certificate)\}", told))
                    for file in folder.iterdir():
                        file.unlink()
                if server.target is not None:
                    self.assertTrue(server.target.is_file(), server.name)

    def test_every_workload_and_server_makes_a_command_line(self):
        with tempfile.TemporaryDirectory() as name:
            bench = measure.Bench(self.place(pathlib.Path(name)), {0}, {1}, ("c", "k"))
            for workload in [*WORKLOADS.values(), FRAME]:
                for server in SERVERS.values():
                    told = measure.load_command(bench, server, workload, 4711, 99, 200)
                    words = [str(word) for word in told]
                    url = words[words.index("--url") + 1]
                    self.assertEqual(url.split("://")[0] in ("wss", "https"), workload.tls)
                    self.assertIn(":4711", url)
                    self.assertEqual(words[words.index("--server-pid") + 1], "99")
                    self.assertEqual("--target" in words, server.target is not None)

    def test_the_workloads_are_those_of_the_table(self):
        for name in "C1 C1s C2 W1 W1k W1s W2 W3 W3s W4 W4s W5 W5s W6".split():
            self.assertEqual(WORKLOADS[name].tls, name.endswith("s"))
            self.assertIn(WORKLOADS[name].kind, KINDS)

    def test_a_quick_run_is_a_fifth_for_a_second(self):
        for workload in WORKLOADS.values():
            short = quick(workload)
            self.assertLessEqual(short.connections, max(workload.connections / 5, 64))
            self.assertLess(short.patience_s, workload.patience_s + 1)
            self.assertEqual((short.kind, short.tls), (workload.kind, workload.tls))
        self.assertEqual(quick(WORKLOADS["C2"]).rooms, 100)
        self.assertEqual(quick(WORKLOADS["C2"]).rate, 800)

    def test_a_template_keeps_braces_that_are_no_names(self):
        self.assertEqual(filled("a { {port} } {x}", {"port": 7}), "a { 7 } {x}")

    def test_one_more_server_comes_from_the_command_line(self):
        extra = extra_server("mine;x.txt;mine -p {port};mine -p {port} -c {cert} -k {key}")
        with tempfile.TemporaryDirectory() as name:
            place = self.place(pathlib.Path(name))
            plain = extra.command(Start(place, 5, place.scratch))
            secure = extra.command(Start(place, 5, place.scratch, ("c.pem", "k.pem")))
        self.assertEqual(plain, ["mine", "-p", "5"])
        self.assertEqual(secure, "mine -p 5 -c c.pem -k k.pem".split())
        self.assertTrue(extra.secure)
        with self.assertRaisesRegex(Exception, "expected NAME;TARGET FILE;COMMAND"):
            extra_server("mine;targets.txt")

    def test_processors_are_two_sides_that_this_process_may_use(self):
        mine = sorted(os.sched_getaffinity(0))[0]
        self.assertEqual(processes.processors_of(f"{mine}/{mine}"), [{mine}, {mine}])
        for wrong in ("0", "0/1/2", "a/b", "0/100000"):
            with self.assertRaises(ValueError):
                processes.processors_of(wrong)


class Processes(unittest.TestCase):
    def test_what_was_started_is_gone_with_all_it_started(self):
        processor = {sorted(os.sched_getaffinity(0))[0]}
        with processes.running(
            ["sh", "-c", "sleep 1000 & echo $!; wait"], processor, stdout=subprocess.PIPE, text=True
        ) as process:
            child = int(process.stdout.readline())
            self.assertEqual(os.sched_getaffinity(child), processor)
            self.assertEqual(os.getpgid(child), process.pid)
        process.stdout.close()
        self.assertIsNotNone(process.returncode)
        self.assertFalse(runs(child))

    def test_one_that_will_not_go_is_made_to(self):
        processor = {sorted(os.sched_getaffinity(0))[0]}
        stubborn = (
            "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            "print(1, flush=True); signal.pause()"
        )
        with processes.running(
            [sys.executable, "-c", stubborn], processor, stdout=subprocess.PIPE, text=True
        ) as process:
            process.stdout.readline()
            processes.end(process, patience_s=0.05)
        process.stdout.close()
        self.assertEqual(process.returncode, -signal.SIGKILL)

    def test_a_server_that_ends_at_once_is_no_server(self):
        processor = {sorted(os.sched_getaffinity(0))[0]}
        with processes.running(["false"], processor) as process:
            process.wait()
            with self.assertRaisesRegex(ChildProcessError, "ended with 1"):
                processes.await_listening(process, processes.free_port())


class Charts(unittest.TestCase):
    def test_every_chart_is_well_formed_and_has_a_bar_or_a_reason_for_each_server(self):
        measured = Results(three_rounds(), SERVERS)
        for workload in WORKLOADS.values():
            tree = ElementTree.fromstring(document.workload_chart(measured, workload))
            texts = [text.text for text in tree.iter(f"{SVG}text")]
            for server in SERVERS.values():
                self.assertIn(server.title, texts)
            self.assertTrue(any("12.5%" in text for text in texts))
            units = [each.unit for each in workload.of_kind.charted]
            series = units.count(units[0])
            rects = tree.iter(f"{SVG}rect")
            bars = [rect for rect in rects if rect.get("height") == str(chart.BAR)]
            self.assertEqual(len(bars), (len(SERVERS) - 1) * series)
            ranges = [path for path in tree.iter(f"{SVG}path") if path.get("class") == "range"]
            self.assertEqual(len(ranges), len(bars))
            height = float(tree.get("height"))
            for rect in bars:
                self.assertLessEqual(float(rect.get("y")) + chart.BAR, height)
                self.assertLessEqual(float(rect.get("x")) + float(rect.get("width")), chart.WIDTH)

    def test_bars_are_as_long_as_their_medians(self):
        bars = (chart.Bar(spread([10.0])), chart.Bar(spread([5.0])))
        text = chart.svg("t", "u", ["a", "b"], [chart.Group("g", bars)])
        rects = list(ElementTree.fromstring(text).iter(f"{SVG}rect"))
        widths = [float(r.get("width")) for r in rects if r.get("height") == str(chart.BAR)]
        self.assertAlmostEqual(widths[0], 2 * widths[1], delta=0.2)

    def test_nothing_measured_is_a_chart_of_reasons(self):
        bars = (chart.Bar(None, "no <TLS> & more"),)
        tree = ElementTree.fromstring(chart.svg("t", "u", ["a"], [chart.Group("g", bars)]))
        self.assertIn("no <TLS> & more", [text.text for text in tree.iter(f"{SVG}text")])

    def test_colours_follow_the_reader(self):
        text = chart.svg("t", "u", ["a"], [chart.Group("g", (chart.Bar(spread([1.0])),))])
        self.assertIn("prefers-color-scheme: dark", text)


class Page(unittest.TestCase):
    def test_the_page_names_machine_versions_date_command_and_every_cell(self):
        page = document.markdown(Results(three_rounds(), SERVERS))
        for words in ("bench/peers/compare --reps 3", "Some processor", "Linux 6.1", "Debian 12",
                      "2026-01-02", "1.2.3", "273 for a text of 128 bytes", "medians of 3 rounds"):
            self.assertIn(words, page)
        for workload in WORKLOADS.values():
            self.assertIn(f"## {workload.name}: {workload.title}\n", page)
            self.assertIn(f"(performance/{workload.name}.svg)", page)
        self.assertIn("12.5% of the deliveries did not arrive \\| <late>", page)
        self.assertIn("2 of 3 rounds", page)

    def test_quick_runs_are_not_to_be_quoted(self):
        rows = [{**SESSION, "quick": True}, row("C1", "bun", 1)]
        page = document.markdown(Results(rows, SERVERS))
        self.assertIn("not to be quoted", page)
        self.assertNotIn("not to be quoted", document.markdown(Results(three_rounds(), SERVERS)))

    def test_tables_have_as_many_cells_in_each_row(self):
        page = document.markdown(Results(three_rounds(), SERVERS))
        for block in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
            cells = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            self.assertEqual(len(cells), 1, block)

    def test_links_lead_to_headings(self):
        page = document.markdown(Results(three_rounds(), SERVERS))
        for anchor in re.findall(r"\]\(#([^)]+)\)", page):
            headings = re.findall(r"^## (.*)$", page, re.MULTILINE)
            kept = ("".join(c for c in h.lower() if c.isalnum() or c in " -") for h in headings)
            self.assertIn(anchor, [words.replace(" ", "-") for words in kept])

    def test_ratios_are_to_parley(self):
        table = document.workload_table(Results(three_rounds(), SERVERS), WORKLOADS["C1"])
        by_name = {line[0]: line for line in table[1:]}
        self.assertEqual(by_name["Parley"][2], "1.00")
        self.assertEqual(by_name["Bun"][2], "2.00")
        self.assertEqual(by_name["Bun"][1], "2,002 (2,001 – 2,003)")
        self.assertEqual(by_name["Flask-SocketIO"][1:3], ["–", ""])

    def test_results_without_a_session_are_refused(self):
        with self.assertRaisesRegex(ValueError, "no session"):
            document.markdown(Results([row("C1", "bun", 1)], SERVERS))


class Keeping(unittest.TestCase):
    def test_what_is_kept_is_not_measured_again(self):
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "deep" / "r.jsonl"
            keeper = session.Keeper(path)
            keeper.add(SESSION)
            keeper.add(row("C1", "bun", 1, 2))
            again = session.Keeper(path)
            self.assertTrue(again.holds("C1", "bun", 2))
            self.assertFalse(again.holds("C1", "bun", 1))
            self.assertFalse(again.holds("C1", "ws", 2))
            self.assertEqual(again.frame_of("bun"), 273)
            self.assertIsNone(again.frame_of("unheard-of"))
            fresh = session.Keeper(path, fresh=True)
            self.assertEqual(fresh.rows, [])
            self.assertTrue(path.with_name("r.jsonl.old").exists())

    def test_a_broken_line_is_named(self):
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "r.jsonl"
            path.write_text(json.dumps(SESSION) + "\n\nnonsense\n")
            with self.assertRaisesRegex(ValueError, r"r\.jsonl:3: not a row"):
                results.read_rows([path])

    def test_a_report_is_made_of_several_files_without_measuring(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            rows = three_rounds()
            for part, lines in (("a", rows[:9]), ("b", rows[9:])):
                (folder / part).write_text("".join(json.dumps(line) + "\n" for line in lines))
            (folder / "performance").mkdir()
            (folder / "performance" / "gone.svg").write_text("<svg/>")
            told = subprocess.run(
                [COMPARE, "--report", folder / "a", folder / "b", "--docs", folder],
                capture_output=True, text=True, check=True,
            )
            self.assertIn("C1: 1,000 in one room", told.stdout)
            charts = {file.stem for file in (folder / "performance").iterdir()}
            self.assertEqual(charts, set(WORKLOADS))
            self.assertIn("medians of 3 rounds", (folder / "performance.md").read_text())

    def test_wrong_arguments_say_what_was_expected(self):
        for arguments, words in (
            (["--servers", "apache"], "known are parleyd"),
            (["--work", "C9"], "known are C1"),
            (["--reps", "0"], "at least 1"),
            (["--cpus", "0"], "expected SERVER/GENERATOR"),
            (["--extra", "x"], "expected NAME;TARGET FILE"),
            (["--report", "no/such/file"], "no/such/file"),
        ):
            told = subprocess.run([COMPARE, *arguments], capture_output=True, text=True)
            self.assertNotEqual(told.returncode, 0)
            self.assertIn(words, told.stderr)


class Kept(unittest.TestCase):
    """What is in the repository."""

    def test_the_scripts_of_servers_are_those_that_are_started(self):
        source = pathlib.Path(servers.__file__).read_text()
        named = set(re.findall(r"[\w.]+\.(?:mjs|py|conf)", source))
        there = {file.name for file in servers.SCRIPTS.iterdir() if file.is_file()}
        self.assertEqual(there, named)

    def test_npm_has_exact_versions(self):
        asked = json.loads((servers.HERE / "package.json").read_text())["dependencies"]
        locked = json.loads((servers.HERE / "package-lock.json").read_text())["packages"]
        for name, version in asked.items():
            self.assertRegex(version, r"^\d+\.\d+\.\d+$")
            self.assertEqual(locked[f"node_modules/{name}"]["version"], version)


if __name__ == "__main__":
    unittest.main(verbosity=2)
