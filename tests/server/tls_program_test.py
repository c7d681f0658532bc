"""parleyd over TLS, as operators and clients meet it: curl, Python's ssl, certificates replaced.

usage: tls_program_test.py PARLEYD

PARLEY_TLS_SESSIONS: under how many live sessions a certificate is replaced (200).
"""

import base64
import os
import pathlib
import shutil
import signal
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

import program_test
from program_test import PATIENCE, receive_until, run

SESSIONS = int(os.environ.get("PARLEY_TLS_SESSIONS", "200"))


def make_certificate(folder, name, *, days=30, algorithm="ec"):
    """NAME.pem and NAME.key, for localhost and the loopback addresses, known by that name."""
    key = (["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if algorithm == "ec" else ["rsa:2048"])
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", *key, "-nodes", "-days", str(days), "-subj",
         f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
        check=True, capture_output=True, timeout=PATIENCE)


class Running(program_test.Running):
    """A parleyd that also serves over TLS with FOLDER's live.pem and live.key."""

    def __init__(self, folder, *arguments):
        super().__init__("--tls-listen", "127.0.0.1:0", "--tls-cert", str(folder / "live.pem"),
                         "--tls-key", str(folder / "live.key"), "--no-limits", *arguments)

    def __enter__(self):
        self.wait_for("listening")
        address = self.wait_for("listening")["address"]
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)
        self.wait_for("ready")
        return self

    def secure(self, context):
        return context.wrap_socket(self.connect(), server_hostname="localhost")


def trusting(*certificates, version=None):
    context = ssl.create_default_context()
    for certificate in certificates:
        context.load_verify_locations(certificate)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


class Session:
    """A WebSocket of a few lines over a connected socket."""

    def __init__(self, connection, name, room):
        self.connection = connection
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            (f"GET /ws?name={name}&room={room} HTTP/1.1\r\nHost: localhost\r\n"
             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
        self.bytes = b""
        while b"\r\n\r\n" not in self.bytes:
            self.bytes += self.more()
        head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
        if not head.startswith(b"HTTP/1.1 101 "):
            raise AssertionError(head)
        self.hear(b'"joined"')

    def more(self):
        part = self.connection.recv(65536)
        if not part:
            raise AssertionError("the connection ended")
        return part

    def exactly(self, count):
        while len(self.bytes) < count:
            self.bytes += self.more()
        taken, self.bytes = self.bytes[:count], self.bytes[count:]
        return taken

    def say(self, text):
        payload = text.encode()
        mask = b"\0\0\0\0"  # masked by nothing, which is as good as anything here
        self.connection.sendall(bytes([0x81, 0x80 | len(payload)]) + mask + payload)

    def hear(self, wanted):
        """Reads messages up to the one with that text; a close is a failure."""
        while True:
            kind, length = self.exactly(2)
            if length == 126:
                length, = struct.unpack("!H", self.exactly(2))
            payload = self.exactly(length)
            if kind & 15 == 8:
                raise AssertionError(f"closed: {payload}")
            if wanted in payload:
                return payload


class Tls(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        make_certificate(self.folder, "first")
        self.put_live("first")

    def put_live(self, name):
        for suffix in (".pem", ".key"):
            fresh = self.folder / f"fresh{suffix}"
            shutil.copy(self.folder / (name + suffix), fresh)
            fresh.rename(self.folder / f"live{suffix}")

    def served(self, server, context):
        """Whose certificate a new handshake is shown."""
        with server.secure(context) as connection:
            return dict(part[0] for part in connection.getpeercert()["subject"])["commonName"]

    def curl(self, server, *arguments):
        return subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", str(PATIENCE), "--cacert",
             self.folder / "live.pem", *arguments],
            capture_output=True, text=True, timeout=2 * PATIENCE, check=False)

    def test_curl_speaks_to_it_over_tls_1_2_and_1_3(self):
        with Running(self.folder) as server:
            url = f"https://localhost:{server.port}"
            for version in (("--tls-max", "1.2"), ("--tlsv1.3",)):
                result = self.curl(server, *version, f"{url}/healthz")
                self.assertEqual((result.returncode, result.stdout),
                                 (0, '{"status":"ok"}'), result.stderr)
            # Several requests on one connection, and a body of many records.
            result = self.curl(server, f"{url}/app.js", f"{url}/parley.js")
            self.assertEqual(result.returncode, 0, result.stderr)
            web = pathlib.Path(__file__).parents[2] / "web"
            self.assertEqual(result.stdout,
                             (web / "app.js").read_text() + (web / "parley.js").read_text())
            result = self.curl(server, "--tls-max", "1.1", "--tlsv1.0", f"{url}/healthz")
            self.assertNotEqual(result.returncode, 0)
            result = self.curl(server, f"http://localhost:{server.port}/healthz")
            self.assertIn("This port speaks TLS", result.stdout)

    def test_a_certificate_is_replaced_under_live_sessions_and_nobody_notices(self):
        make_certificate(self.folder, "second", algorithm="rsa")
        both = trusting(self.folder / "first.pem", self.folder / "second.pem")
        with Running(self.folder) as server:
            sessions = []
            for i in range(SESSIONS):
                connection = server.secure(both)
                self.addCleanup(connection.close)
                sessions.append(Session(connection, f"user{i}", "lobby"))
            stop = threading.Event()
            said = []

            def chat():
                while not stop.is_set():
                    text = f"word {len(said)}."
                    sessions[0].say(text)
                    said.append(text)
                    sessions[0].hear(text.encode())

            chatting = threading.Thread(target=chat)
            chatting.start()
            try:
                self.put_live("second")
                server.signal(signal.SIGHUP)
                server.wait_for("reloaded")
                # A shard takes it up with its next turn.
                while self.served(server, both) != "second":
                    pass
                (self.folder / "live.key").write_text("no key at all\n")
                server.signal(signal.SIGHUP)
                failed = server.wait_for("certificates not loaded, the old ones stay")
                self.assertIn("live.key: holds no key", failed["error"])
                self.assertEqual(self.served(server, both), "second")
            finally:
                stop.set()
                chatting.join(PATIENCE)
            self.assertGreater(len(said), 0)
            sessions[-1].say("the end.")
            for session in sessions[1:]:
                for text in said:
                    session.hear(text.encode())
                session.hear(b"the end.")
            for session in sessions:
                session.connection.close()
            server.signal(signal.SIGTERM)
            self.assertEqual(server.end(), 0)

    def test_a_file_that_changes_is_loaded_without_a_signal(self):
        make_certificate(self.folder, "second")
        config = self.folder / "parley.toml"
        config.write_text('[tls]\nreload_check = "50ms"\n')
        with Running(self.folder, "--config", str(config)) as server:
            self.put_live("second")
            server.wait_for("certificates loaded")
            both = trusting(self.folder / "first.pem", self.folder / "second.pem")
            while self.served(server, both) != "second":
                pass

    def test_sessions_are_resumed_also_after_a_reload(self):
        context = trusting(self.folder / "first.pem", version=ssl.TLSVersion.TLSv1_3)
        with Running(self.folder) as server:
            def ask(session):
                connection = context.wrap_socket(server.connect(), server_hostname="localhost",
                                                 session=session)
                with connection:
                    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                    receive_until(connection, b'"ok"')
                    return connection.session_reused, connection.session

            reused, session = ask(None)
            self.assertFalse(reused)
            reused, session = ask(session)
            self.assertTrue(reused)
            server.signal(signal.SIGHUP)
            server.wait_for("reloaded")
            reused, _ = ask(session)
            self.assertTrue(reused)

    def test_a_certificate_for_development_is_made_once_and_trusted_by_curl(self):
        make = pathlib.Path(__file__).parents[2] / "cmake" / "development_certificate"
        state = {**os.environ, "XDG_STATE_HOME": str(self.folder / "state")}

        def made():
            return pathlib.Path(subprocess.run(
                [make], env=state, capture_output=True, text=True, check=True,
                timeout=PATIENCE).stdout.strip())

        folder = made()
        self.assertEqual(folder, self.folder / "state" / "parley")
        first = (folder / "cert.pem").read_bytes()
        self.assertEqual((made() / "cert.pem").read_bytes(), first)
        self.assertEqual((folder / "key.pem").stat().st_mode & 0o077, 0)
        for suffix in (".pem", ".key"):
            name = "cert.pem" if suffix == ".pem" else "key.pem"
            shutil.copy(folder / name, self.folder / f"live{suffix}")
        with Running(self.folder) as server:
            for host in ("localhost", "127.0.0.1"):
                result = self.curl(server, f"https://{host}:{server.port}/healthz")
                self.assertEqual(result.stdout, '{"status":"ok"}', result.stderr)

    def test_check_config_tries_the_certificates(self):
        make_certificate(self.folder, "other")
        cert, key = self.folder / "first.pem", self.folder / "first.key"
        config = self.folder / "parley.toml"

        def check(cert_file, key_file):
            config.write_text(f'[tls]\nlisten = ["127.0.0.1:0"]\ncert = "{cert_file}"\n'
                              f'key = "{key_file}"\n')
            return run("check-config", "-c", str(config))

        self.assertEqual(check(cert, key), (0, f"{config}: ok\n", ""))
        other = self.folder / "other.key"
        wrong = (1, "", f"tls.key: {other}: is not the key of {cert}\n")
        self.assertEqual(check(cert, other), wrong)
        self.assertEqual(run("serve", "-c", str(config), "--listen", "127.0.0.1:0",
                             "--log-level", "off"), wrong)
        missing = self.folder / "none.pem"
        self.assertEqual(check(missing, key),
                         (1, "", f"tls.cert: {missing}: cannot be opened: "
                                 "No such file or directory\n"))

    def test_tls_without_a_certificate_is_refused(self):
        self.assertEqual(
            run("--tls-listen", "127.0.0.1:0"),
            (1, "", "--tls-listen: TLS needs a certificate (expected tls.cert and tls.key, or "
                    "--tls-cert and --tls-key)\n"))


if __name__ == "__main__":
    program_test.PARLEYD = sys.argv.pop(1)
    unittest.main()
