"""parleyd as its operator meets it: what it says, and how it ends.

usage: program_test.py PARLEYD
"""

import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

PARLEYD = ""
PATIENCE = 30  # seconds, far above what anything here takes

HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def run(*arguments, environment=None):
    """Runs parleyd to its end: (exit code, stdout, stderr)."""
    result = subprocess.run([PARLEYD, *arguments], capture_output=True, text=True,
                            timeout=PATIENCE, check=False,
                            env={**os.environ, "PARLEY_ADMIN__LISTEN": "off", **(environment or {})})
    return result.returncode, result.stdout, result.stderr


class Running:
    """A parleyd that serves on a free port and is asked to end at the end of its block."""

    def __init__(self, *arguments, preexec=None, admin="off", wrapper=(), environment=None,
                 **popen):
        self.process = subprocess.Popen(
            [*wrapper, PARLEYD, "--listen", "127.0.0.1:0", "--admin-listen", admin,
             "--log-format", "json", *arguments],
            stderr=subprocess.PIPE, text=True, preexec_fn=preexec,
            env={**os.environ, **(environment or {})}, **popen)
        self.log = []

    def __enter__(self):
        address = self.wait_for("listening")["address"]
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)
        self.wait_for("ready")
        for entry in self.log:
            if entry["msg"] == "listening" and entry["listener"] == "admin":
                self.admin = entry["address"]
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stderr.close()

    def wait_for(self, message):
        """The next entry of the log with that message."""
        for line in self.process.stderr:
            entry = json.loads(line)
            self.log.append(entry)
            if entry["msg"] == message:
                return entry
        raise AssertionError(f"parleyd ended without saying {message!r}: {self.log}")

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        """The exit code; what it still said is in the log."""
        for line in self.process.stderr:
            self.log.append(json.loads(line))
        return self.process.wait(PATIENCE)

    def connect(self):
        return socket.create_connection((self.host, self.port), PATIENCE)

    def open_websocket(self):
        """A session that has been welcomed, as a bare socket that answers nothing."""
        connection = self.connect()
        try:
            connection.sendall(HANDSHAKE.encode())
            receive_until(connection, b'"welcome"')
        except BaseException:
            connection.close()
            raise
        return connection


def receive_until(connection, wanted):
    received = b""
    while wanted not in received:
        part = connection.recv(4096)
        if not part:
            raise AssertionError(f"the connection ended before {wanted}: {received}")
        received += part
    return received


class Refusals(unittest.TestCase):
    def assert_refused(self, result, line):
        self.assertEqual(result, (1, "", line + "\n"))

    def config(self, text):
        file = tempfile.NamedTemporaryFile("w", suffix=".toml", delete=False)
        self.addCleanup(os.unlink, file.name)
        with file:
            file.write(text)
        return file.name

    def test_a_bad_value_names_file_line_and_key(self):
        file = self.config('\n[limits]\ntext_bytes = "12 parsecs"\n')
        line = (f'{file}:3: limits.text_bytes: "12 parsecs" is not a size '
                '(expected e.g. 65536, "64KiB")')
        self.assert_refused(run("--config", file), line)
        self.assert_refused(run("check-config", "-c", file), line)

    def test_a_missing_file_is_named(self):
        self.assert_refused(run("-c", "/nowhere/parley.toml"),
                            "/nowhere/parley.toml: cannot be opened: No such file or directory")

    def test_a_bad_variable_is_named(self):
        self.assert_refused(run(environment={"PARLEY_SHARDS": "99"}),
                            'PARLEY_SHARDS: "99" is out of range (0 to 64)')

    def test_an_unknown_flag_is_one_line(self):
        code, out, err = run("--frobnicate")
        self.assertEqual((code, out, err.count("\n")), (1, "", 1))
        self.assertIn("--frobnicate", err)

    def test_a_token_takes_a_secret(self):
        self.assert_refused(run("token", "--user", "1"),
                            "parleyd: token: no secret to sign with (expected jwt.secret_file in "
                            "the configuration)")
        self.assert_refused(run("token"),
                            "parleyd: --user is required (parleyd --help lists what there is)")

    def test_keys_that_are_none_are_named(self):
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as key:
            key.write("none")
            key.flush()
            for command in ("serve", "check-config"):
                self.assert_refused(
                    run(command, "--log-level", "off",
                        environment={"PARLEY_JWT__PUBLIC_KEYS": key.name}),
                    f"parleyd: jwt.public_keys: {key.name}: no public key in PEM")

    def test_a_port_that_another_program_has_is_one_line(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            self.assert_refused(run("--listen", address, "--log-level", "off"),
                                f"parleyd: cannot listen on {address}: Address already in use")

    def test_a_port_is_not_shared_with_another_parleyd(self):
        with Running() as first:
            address = f"{first.host}:{first.port}"
            self.assert_refused(run("--listen", address, "--log-level", "off"),
                                f"parleyd: cannot listen on {address}: Address already in use")

    def test_an_address_of_another_machine_is_one_line(self):
        self.assert_refused(
            run("--listen", "192.0.2.1:8080", "--log-level", "off"),
            "parleyd: cannot listen on 192.0.2.1:8080: Cannot assign requested address")


class Commands(unittest.TestCase):
    def test_the_default_configuration_is_accepted_without_a_word(self):
        code, text, err = run("default-config")
        self.assertEqual((code, err), (0, ""))
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "parley.toml"
            file.write_text(text)
            self.assertEqual(run("check-config", "-c", str(file)), (0, f"{file}: ok\n", ""))

    def test_an_unknown_key_is_a_warning_and_not_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "parley.toml"
            file.write_text("lissten = 1\n")
            self.assertEqual(run("check-config", "-c", str(file)),
                             (0, f"{file}: ok\n",
                              f"{file}:1: unknown key lissten, did you mean listen?\n"))

    def test_version_and_help_end_well(self):
        code, out, err = run("version")
        self.assertRegex(out, r"^parleyd \d+\.\d+\.\d+\n$")
        self.assertEqual((code, err), (0, ""))
        code, out, err = run("--help")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("Exit codes", out)

    def test_doctor_answers_by_its_exit_code(self):
        code, out, err = run("doctor", "--connections", "1")
        self.assertEqual((code, err), (0, ""), out)
        code, out, err = run("doctor", "--connections", "100000000")
        self.assertEqual((code, err), (1, ""), out)
        self.assertIn("in the way", out)


class Serving(unittest.TestCase):
    def test_it_answers_and_ends_with_0_on_either_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Running() as server:
                with server.connect() as connection:
                    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n")
                    self.assertIn(b"200", receive_until(connection, b"ok"))
                server.signal(number)
                said = server.wait_for("draining")
                self.assertEqual(said["signal"], number.name)
                self.assertEqual(said["deadline"], "15s")
                self.assertEqual(server.end(), 0)
                self.assertEqual(server.log[-1]["msg"], "stopped")
                for entry in server.log:
                    self.assertRegex(entry["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
                    self.assertIn(entry["level"], {"debug", "info", "warn", "error"})

    def test_a_drain_says_so_to_sessions(self):
        with Running() as server, server.open_websocket() as session:
            server.signal(signal.SIGTERM)
            received = receive_until(session, b"\x03\xf4")  # the close code, 1012
            self.assertIn(b'"drain"', received)
            session.close()
            self.assertEqual(server.end(), 0)

    def test_a_second_signal_ends_at_once(self):
        with Running() as server, server.open_websocket() as session:
            server.signal(signal.SIGTERM)
            receive_until(session, b'"drain"')
            server.signal(signal.SIGTERM)
            self.assertEqual(server.end(), 0)
            self.assertIn("ending at once", [entry["msg"] for entry in server.log])

    def test_too_few_open_files_is_one_warning(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 2000))

        with Running(preexec=few) as server:
            warnings = [entry for entry in server.log if entry["level"] == "warn"]
            self.assertEqual(len(warnings), 1, server.log)
            self.assertEqual((warnings[0]["open_files"], warnings[0]["serving"]), (2000, 1488))
            server.signal(signal.SIGTERM)
            self.assertEqual(server.end(), 0)

    def test_sighup_reads_the_log_level_anew_and_survives_a_bad_file(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "parley.toml"
            file.write_text('[log]\nlevel = "info"\n')
            with Running("--config", str(file)) as server:
                file.write_text('[log]\nlevel = "debug"\n')
                server.signal(signal.SIGHUP)
                self.assertEqual(server.wait_for("reloaded")["log_level"], "debug")
                file.write_text('[log]\nlevel = "loud"\n')
                server.signal(signal.SIGHUP)
                said = server.wait_for("not reloaded, the old values stay")
                self.assertIn(f"{file}:2: log.level", said["error"])
                server.signal(signal.SIGTERM)
                self.assertEqual(server.end(), 0)


if __name__ == "__main__":
    PARLEYD = sys.argv.pop(1)
    unittest.main()
