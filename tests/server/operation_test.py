"""parleyd as it is operated: metrics, probes, reloading, systemd.

usage: operation_test.py PARLEYD SOURCE            tests
       operation_test.py PARLEYD SOURCE --write    writes the table of metrics into
                                                   docs/operating.md
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import program_test
from program_test import PATIENCE, Running, receive_until, run
from tls_program_test import make_certificate, trusting

SOURCE = pathlib.Path()
TABLE_BEGIN = "<!-- metrics: begin -->\n"
TABLE_END = "<!-- metrics: end -->\n"

# Starts a program as systemd would: sockets from 3 on, told by LISTEN_FDS.
ACTIVATE = """
import os, sys
names, descriptors = sys.argv[1], [int(word) for word in sys.argv[2].split(",")]
# Out of the way first: one may already have the number of another.
high = [os.dup2(descriptor, 100 + i) for i, descriptor in enumerate(descriptors)]
for i, descriptor in enumerate(high):
    os.dup2(descriptor, 3 + i)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(high)), LISTEN_FDNAMES=names)
os.execv(sys.argv[3], sys.argv[3:])
"""


def get(address, path):
    """(status, body) of an answer on the admin listener or another."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


def scrape(address):
    """Each sample by its name with labels."""
    status, text = get(address, "/metrics")
    if status != 200:
        raise AssertionError(f"/metrics answered {status}")
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def described_metrics(address):
    """The table of docs/operating.md, from what /metrics says of itself."""
    _, text = get(address, "/metrics")
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE))
    kinds = dict(re.findall(r"^# TYPE (\S+) (.*)$", text, re.MULTILINE))
    rows = [f"| `{name}` | {kinds[name]} | {helps[name]} |\n" for name in sorted(helps)]
    return "| metric | type | |\n| --- | --- | --- |\n" + "".join(rows)


class Console:
    """A WebSocket session that can speak, for as much as these tests need of it."""

    def __init__(self, server):
        self.connection = server.open_websocket()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def say(self, command, until):
        payload = json.dumps(command).encode()
        assert len(payload) < 126
        # A mask of zeros leaves the payload as it is.
        self.connection.sendall(bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
        return receive_until(self.connection, until)


class AdminListener(unittest.TestCase):
    def test_it_counts_what_happened(self):
        with Running("--shards", "2", admin="127.0.0.1:0") as server, Console(server) as ann:
            ann.say({"type": "join", "id": 1, "room": "r"}, b'"joined"')
            ann.say({"type": "send", "id": 2, "room": "r", "text": "hello"}, b'"hello"')
            ann.say({"type": "dance"}, b'"bad_request"')
            metrics = scrape(server.admin)
            self.assertEqual(metrics['parley_sessions{transport="websocket"}'], 1)
            self.assertEqual(metrics["parley_messages_published_total"], 1)
            self.assertEqual(metrics['parley_refusals_total{cause="bad_request"}'], 1)
            self.assertEqual(metrics["parley_connections"], 1)
            self.assertEqual(metrics["parley_members"], 1)
            self.assertEqual(metrics["parley_shards"], 2)
            self.assertEqual(metrics["parley_ready"], 1)
            version = run("version")[1].split()[1]
            self.assertEqual(metrics[f'parley_build_info{{version="{version}"}}'], 1)
            self.assertGreater(metrics["parley_uptime_seconds"], 0)
            self.assertGreater(metrics["process_resident_memory_bytes"], 1_000_000)
            self.assertGreater(metrics["process_cpu_seconds_total"], 0)
            self.assertLess(5, metrics["process_open_fds"])
            self.assertLess(metrics["process_open_fds"], metrics["process_max_fds"])

    def test_its_metrics_are_those_of_the_manual(self):
        text = (SOURCE / "docs/operating.md").read_text()
        table = text.split(TABLE_BEGIN)[1].split(TABLE_END)[0]
        with Running(admin="127.0.0.1:0") as server:
            self.assertEqual(table, described_metrics(server.admin),
                             "run this test with --write to write the table anew")

    def test_the_samples_for_prometheus_and_grafana_name_metrics_that_exist(self):
        with Running(admin="127.0.0.1:0") as server, Console(server):
            known = {name.split("{")[0] for name in scrape(server.admin)}
        for file in ("prometheus-rules.yml", "grafana-dashboard.json"):
            named = set(re.findall(r"\b(?:parley|process)_[a-z_]+\b",
                                   (SOURCE / "conf" / file).read_text()))
            named -= {"parley_"}
            self.assertGreater(len(named), 5)
            self.assertEqual(named - known, set(), file)
        json.loads((SOURCE / "conf/grafana-dashboard.json").read_text())

    def test_a_port_that_is_taken_is_one_line(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            line = (f"parleyd: cannot listen on {address} for the admin listener: "
                    "Address already in use\n")
            self.assertEqual(run("--listen", "127.0.0.1:0", "--admin-listen", address,
                                 "--log-level", "off"), (1, "", line))

    def test_it_can_be_off(self):
        for word in ("off", ""):
            with Running(admin=word) as server:
                self.assertEqual([entry["listener"] for entry in server.log
                                  if entry["msg"] == "listening"], ["plain"])

    def test_it_says_not_ready_from_the_signal_on_and_stays_alive(self):
        with Running(admin="127.0.0.1:0") as server, server.open_websocket():
            self.assertEqual(get(server.admin, "/healthz/ready"), (200, '{"status":"ok"}'))
            server.signal(signal.SIGTERM)
            server.wait_for("draining")
            self.assertEqual(get(server.admin, "/healthz/ready"), (503, '{"status":"draining"}'))
            self.assertEqual(get(server.admin, "/healthz/live")[0], 200)
            self.assertEqual(scrape(server.admin)["parley_ready"], 0)

    def test_it_says_overloaded_at_the_limit_of_connections(self):
        with Running(admin="127.0.0.1:0",
                     environment={"PARLEY_LIMITS__CONNECTIONS": "1"}) as server:
            with server.open_websocket():
                self.assertEqual(get(server.admin, "/healthz/ready"),
                                 (503, '{"status":"overloaded"}'))
                self.assertEqual(get(server.admin, "/healthz/live")[0], 200)
            while get(server.admin, "/healthz/ready")[0] != 200:
                pass

    def test_it_names_the_rooms(self):
        with Running("--shards", "2", admin="127.0.0.1:0") as server, Console(server) as ann:
            ann.say({"type": "join", "id": 1, "room": "r"}, b'"joined"')
            def debug(path):
                deadline = time.monotonic() + PATIENCE
                while True:
                    told = json.loads(get(server.admin, path)[1])
                    # A shard that the machine holds up is told as one that is silent.
                    if not told["silent_shards"] or time.monotonic() > deadline:
                        self.assertEqual(told["silent_shards"], [])
                        return told
            rooms = debug("/debug/rooms?top=5&by=bytes")
            self.assertEqual({row["room"] for row in rooms["rooms"]}, {"r"})
            self.assertEqual(debug("/debug/sessions")["sessions"], [], "nobody lags")


class Reloading(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name) / "parley.toml"

    def reload(self, server, text, says="reloaded"):
        self.file.write_text(text)
        server.signal(signal.SIGHUP)
        return server.wait_for(says)

    def test_it_changes_limits_for_those_who_are_there(self):
        self.file.write_text("")
        with Running("--config", str(self.file), "--shards", "2", admin="127.0.0.1:0") as server:
            with Console(server) as ann:
                ann.say({"type": "join", "id": 1, "room": "r"}, b'"joined"')
                ann.say({"type": "send", "id": 2, "room": "r", "text": "12345"}, b'"ack"')
                said = self.reload(server, "[limits]\ntext_bytes = 4\nconnections = 7\n")
                self.assertEqual((said["changed"], said["needs_restart"]), (2, 0))
                changes = {entry["setting"]: (entry["from"], entry["to"]) for entry in server.log
                           if entry["msg"] == "setting changed"}
                self.assertEqual(changes["limits.text_bytes"], ('"16KiB"', "4"))
                self.assertEqual(changes["limits.connections"][1], "7")
                # Each shard takes it with its next turn: from then on what was good is too large.
                answer = b""
                while b'"too_large"' not in answer:
                    answer = ann.say({"type": "send", "id": 3, "room": "r", "text": "12345"},
                                     b'"id":3')
                self.assertEqual(scrape(server.admin)["parley_connections_limit"], 7)

    def test_it_keeps_the_old_values_where_the_file_is_bad(self):
        self.file.write_text("[limits]\ntext_bytes = 4\n")
        with Running("--config", str(self.file), admin="127.0.0.1:0") as server:
            with Console(server) as ann:
                said = self.reload(server, "[limits]\ntext_bytes = 9999\nname_bytes = 'many'\n",
                                   "not reloaded, the old values stay")
                self.assertIn(f"{self.file}:3: limits.name_bytes", said["error"])
                ann.say({"type": "join", "id": 1, "room": "r"}, b'"joined"')
                ann.say({"type": "send", "id": 2, "room": "r", "text": "12345"}, b'"too_large"')
            metrics = scrape(server.admin)
            self.assertEqual(metrics['parley_config_reloads_total{result="failed"}'], 1)
            self.assertEqual(metrics["parley_config_last_reload_successful"], 0)
            self.reload(server, "[limits]\ntext_bytes = 5\n")
            metrics = scrape(server.admin)
            self.assertEqual(metrics['parley_config_reloads_total{result="applied"}'], 1)
            self.assertEqual(metrics["parley_config_last_reload_successful"], 1)

    def test_it_names_what_needs_a_restart(self):
        self.file.write_text("")
        with Running("--config", str(self.file)) as server:
            said = self.reload(server, '[history]\nmessages = 3\n[[rooms]]\nmatch = "a"\n')
            self.assertEqual((said["changed"], said["needs_restart"]), (0, 2))
            waiting = {entry["setting"] for entry in server.log
                       if entry["msg"] == "setting needs a restart"}
            self.assertEqual(waiting, {"history.messages", "rooms"})


class Systemd(unittest.TestCase):
    def notify_socket(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = f"{folder.name}/notify"
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(receiver.close)
        receiver.bind(path)
        receiver.settimeout(PATIENCE)
        return path, receiver

    @staticmethod
    def wait_for(receiver, wanted):
        """The message with that line, as a dictionary; those before it are skipped."""
        while True:
            message = receiver.recv(4096).decode()
            if wanted in message.splitlines():
                return dict(line.split("=", 1) for line in message.splitlines())

    def test_it_is_told_of_each_state(self):
        path, receiver = self.notify_socket()
        environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"}
        with Running("--shards", "2", environment=environment) as server:
            ready = self.wait_for(receiver, "READY=1")
            self.assertRegex(ready["STATUS"], r"^serving \d+ connections on 2 shards$")
            self.wait_for(receiver, "WATCHDOG=1")
            self.wait_for(receiver, "WATCHDOG=1")
            server.signal(signal.SIGHUP)
            reloading = self.wait_for(receiver, "RELOADING=1")
            self.assertGreater(int(reloading["MONOTONIC_USEC"]), 0)
            self.wait_for(receiver, "READY=1")
            with server.open_websocket() as session:
                server.signal(signal.SIGTERM)
                stopping = self.wait_for(receiver, "STOPPING=1")
                self.assertEqual(stopping["STATUS"], "draining after SIGTERM")
                self.wait_for(receiver, "WATCHDOG=1")
                receive_until(session, b"\x03\xf4")  # the close code, 1012
            self.assertEqual(server.end(), 0)

    def activated(self, names, sockets, *arguments, admin="off"):
        descriptors = [each.fileno() for each in sockets]
        return Running(*arguments, admin=admin, pass_fds=descriptors,
                       wrapper=[sys.executable, "-c", ACTIVATE, ":".join(names),
                                ",".join(map(str, descriptors))])

    def test_it_hands_over_the_sockets_that_are_served(self):
        with (socket.create_server(("127.0.0.1", 0)) as http,
              socket.create_server(("127.0.0.1", 0)) as admin):
            sockets = [http, admin]
            with self.activated(["http", "admin"], sockets, "--shards", "3") as server:
                self.assertEqual(server.port, http.getsockname()[1])
                self.assertEqual(server.admin, f"127.0.0.1:{admin.getsockname()[1]}")
                for entry in server.log:
                    if entry["msg"] == "listening":
                        self.assertTrue(entry["inherited"])
                for _ in range(30):
                    self.assertEqual(get(f"127.0.0.1:{server.port}", "/healthz")[0], 200)
                self.assertEqual(scrape(server.admin)["parley_connections_accepted_total"], 30)
                server.signal(signal.SIGTERM)
                self.assertEqual(server.end(), 0)
            # Who comes while it is away waits for the next.
            with socket.create_connection(http.getsockname(), PATIENCE) as early:
                early.sendall(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n")
                with self.activated(["http", "admin"], sockets):
                    self.assertIn(b"200", receive_until(early, b"ok"))

    def test_it_hands_over_a_socket_for_https(self):
        with (tempfile.TemporaryDirectory() as folder,
              socket.create_server(("127.0.0.1", 0)) as http,
              socket.create_server(("127.0.0.1", 0)) as https):
            make_certificate(pathlib.Path(folder), "live")
            # Nobody may listen on port 1: the socket takes its place.
            tls = ("--tls-listen", "127.0.0.1:1", "--tls-cert", f"{folder}/live.pem",
                   "--tls-key", f"{folder}/live.key")
            context = trusting(f"{folder}/live.pem")
            with self.activated(["https", "http"], [https, http], "--shards", "2", *tls) as server:
                self.assertEqual(
                    {entry["listener"]: (entry["address"], entry.get("inherited"))
                     for entry in server.log if entry["msg"] == "listening"},
                    {"tls": ("127.0.0.1:%d" % https.getsockname()[1], True),
                     "plain": ("127.0.0.1:%d" % http.getsockname()[1], True)})
                for _ in range(10):
                    with socket.create_connection(https.getsockname(), PATIENCE) as plain, \
                            context.wrap_socket(plain, server_hostname="localhost") as secure:
                        secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        self.assertIn(b" 200 ", receive_until(secure, b"ok"))
                self.assertEqual(get("127.0.0.1:%d" % http.getsockname()[1], "/healthz")[0], 200)
                server.signal(signal.SIGTERM)
                self.assertEqual(server.end(), 0)

    def test_it_is_told_which_socket_is_no_good(self):
        def refusal(names, sockets):
            descriptors = [each.fileno() for each in sockets]
            result = subprocess.run(
                [sys.executable, "-c", ACTIVATE, names, ",".join(map(str, descriptors)),
                 program_test.PARLEYD, "--admin-listen", "off", "--log-level", "off"],
                pass_fds=descriptors, capture_output=True, text=True, timeout=PATIENCE, check=False)
            return result.returncode, result.stderr

        with (socket.create_server(("127.0.0.1", 0)) as good,
              socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams):
            self.assertEqual(refusal("smtp", [good]), (
                1, "parleyd: inherited socket 3 (smtp): its name is none of http, https, admin "
                   "(FileDescriptorName= of the socket unit)\n"))
            self.assertEqual(refusal("https", [good]), (
                1, "parleyd: an inherited socket is named https: TLS needs tls.listen, tls.cert "
                   "and tls.key\n"))
            self.assertEqual(refusal("http:admin", [good, datagrams]), (
                1, "parleyd: inherited socket 4 (admin): not a TCP socket that listens\n"))

    def test_it_accepts_the_sample_units(self):
        program = shutil.which("systemd-analyze")
        if program is None:
            print("systemd-analyze is not installed: the units were not looked at")
            return
        with tempfile.TemporaryDirectory() as folder:
            for name in ("parleyd.service", "parleyd.socket"):
                text = (SOURCE / "conf/systemd" / name).read_text()
                (pathlib.Path(folder) / name).write_text(
                    text.replace("/usr/bin/parleyd", program_test.PARLEYD))
            result = subprocess.run([program, "verify", f"{folder}/parleyd.service",
                                     f"{folder}/parleyd.socket"],
                                    capture_output=True, text=True, timeout=PATIENCE, check=False)
            own = [line for line in result.stderr.splitlines() if "parleyd" in line]
            self.assertEqual(own, [])


class Ending(unittest.TestCase):
    def test_a_second_signal_ends_at_once_whichever_came_first(self):
        for first, second in ((signal.SIGTERM, signal.SIGINT), (signal.SIGINT, signal.SIGTERM)):
            with Running("--shards", "2", admin="127.0.0.1:0",
                         environment={"PARLEY_DRAIN__DEADLINE": "1h"}) as server:
                with server.open_websocket() as session:
                    server.signal(first)
                    receive_until(session, b'"drain"')
                    server.signal(second)
                    self.assertEqual(server.end(), 0)
                    said = {entry["msg"]: entry for entry in server.log}
                    self.assertEqual(said["ending at once"]["signal"], second.name)
                    self.assertEqual(said["stopped"]["connections_cut"], 1)


def write_table():
    file = SOURCE / "docs/operating.md"
    text = file.read_text()
    before, rest = text.split(TABLE_BEGIN)
    after = rest.split(TABLE_END)[1]
    with Running(admin="127.0.0.1:0") as server:
        table = described_metrics(server.admin)
    file.write_text(before + TABLE_BEGIN + table + TABLE_END + after)


if __name__ == "__main__":
    program_test.PARLEYD = os.path.abspath(sys.argv.pop(1))
    SOURCE = pathlib.Path(sys.argv.pop(1))
    if sys.argv[1:] == ["--write"]:
        write_table()
    else:
        unittest.main()
