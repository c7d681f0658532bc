"""parleyd behind nginx and haproxy, by the configurations of conf/ with nothing but their ports
changed: every door, unbuffered, and the address of a client is the client's.

usage: proxy_test.py PARLEYD SOURCE
"""

import base64
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.request

import program_test
from program_test import PATIENCE, Running, receive_until

SOURCE = pathlib.Path()


def free_port():
    """A port that nobody has now; whoever takes it in between makes a proxy's start fail."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Proxy:
    """A proxy that runs until the end of its block, in a folder of its own."""

    def __init__(self, parleyd_port):
        self.parleyd_port = parleyd_port

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        # Another program may take the port before the proxy does.
        for _ in range(5):
            self.port = free_port()
            self.process = subprocess.Popen(self.command(pathlib.Path(self.folder.name)),
                                            stderr=subprocess.PIPE, text=True)
            if self.accepts():
                return self
            error = self.process.communicate(timeout=PATIENCE)[1]
        self.folder.cleanup()
        raise AssertionError(f"the proxy did not start: {error}")

    def accepts(self):
        """Waits until it does or has ended."""
        while self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), PATIENCE).close()
                return True
            except ConnectionRefusedError:
                pass
        return False

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE)
        self.folder.cleanup()

    def substituted(self, file, own_port):
        """The sample with its own port and that of parleyd replaced, once each."""
        text = (SOURCE / "conf" / file).read_text()
        for old, new in ((own_port[0], own_port[1]),
                         ("127.0.0.1:8080", f"127.0.0.1:{self.parleyd_port}")):
            if text.count(old) != 1:
                raise AssertionError(f"{file} has {old!r} {text.count(old)} times")
            text = text.replace(old, new)
        return text


class Nginx(Proxy):
    def command(self, folder):
        (folder / "parley.conf").write_text(
            self.substituted("nginx.conf", ("listen 80;", f"listen 127.0.0.1:{self.port};")))
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {folder}/pid; error_log stderr warn;\n"
            "events { worker_connections 256; }\n"
            f"http {{ access_log off;\n{temporary}include {folder}/parley.conf; }}\n")
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        if program is None:
            raise AssertionError("nginx was not found: install the Debian package nginx-light")
        return [program, "-p", str(folder), "-e", "stderr", "-c", f"{folder}/nginx.conf"]


class Haproxy(Proxy):
    def command(self, folder):
        file = folder / "haproxy.cfg"
        file.write_text(
            self.substituted("haproxy.cfg", ("bind :80\n", f"bind 127.0.0.1:{self.port}\n")))
        program = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
        if program is None:
            raise AssertionError("haproxy was not found: install the Debian package haproxy")
        subprocess.run([program, "-c", "-q", "-f", file], check=True, timeout=PATIENCE)
        return [program, "-db", "-f", str(file)]


class Behind:
    """What every proxy has to let through. Each test runs parleyd and the proxy anew."""

    proxy = Proxy

    def setUp(self):
        server = Running("--shards", "2", environment={
            "PARLEY_HTTP__TRUSTED_PROXIES": "127.0.0.1/32",
            # Refilled so slowly that what is left of it counts what was asked.
            "PARLEY_LIMITS__ADDRESS__PER_SECOND": "1",
            "PARLEY_LIMITS__ADDRESS__BURST": "1000"})
        self.server = server.__enter__()
        self.addCleanup(server.__exit__)
        proxy = self.proxy(self.server.port)
        self.port = proxy.__enter__().port
        self.addCleanup(proxy.__exit__)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}",
                                    timeout=PATIENCE) as answer:
            return answer.status, answer.read()

    def connect(self, client="127.0.0.2"):
        connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE, (client, 0))
        self.addCleanup(connection.close)
        return connection

    def post(self, text, client="127.0.0.2", **headers):
        """Says it by REST: its answer, and what that address may still ask."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, PATIENCE, (client, 0))
        self.addCleanup(connection.close)
        connection.request("POST", "/api/v1/rooms/r/messages", json.dumps({"text": text}),
                           {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        body = json.load(answer)
        self.assertEqual(answer.status, 201, body)
        left = re.search(r'"address";r=(\d+)', answer.headers["RateLimit"])
        return body, int(left[1])

    def websocket(self, name, client="127.0.0.2"):
        """A session in the room r, through the proxy, that says its bare text there."""
        connection = self.connect(client)
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall((
            f"GET /ws?name={name}&room=r HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Origin: http://127.0.0.1:{self.port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        head = receive_until(connection, b'"joined"')
        self.assertTrue(head.startswith(b"HTTP/1.1 101"), head)
        return connection

    @staticmethod
    def say(connection, text):
        payload = text.encode()
        # A mask of zeros leaves the payload as it is.
        connection.sendall(bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload)

    def test_the_page_and_health_pass(self):
        self.assertEqual(self.get("/healthz"), (200, b'{"status":"ok"}'))
        status, page = self.get("/")
        self.assertEqual(status, 200)
        self.assertRegex(page, re.compile(rb"<!doctype html>", re.IGNORECASE))

    def test_a_chat_over_websocket_passes(self):
        ann = self.websocket("ann")
        bob = self.websocket("bob")
        self.say(ann, "hello bob")
        self.assertIn(b'"name":"ann"', receive_until(bob, b'"hello bob"'))
        self.say(bob, "hello ann")
        receive_until(ann, b'"hello ann"')

    def test_what_is_said_by_rest_passes(self):
        first, _ = self.post("one")
        second, _ = self.post("two")
        self.assertEqual((first["offset"], second["offset"]), (1, 2))
        status, page = self.get(f"/api/v1/rooms/r/messages?since={first['cursor']}")
        self.assertEqual(status, 200)
        self.assertEqual([message["text"] for message in json.loads(page)["messages"]], ["two"])

    def test_events_pass_one_by_one_as_they_are_said(self):
        said, _ = self.post("before")
        stream = self.connect()
        stream.sendall(f"GET /api/v1/rooms/r/events?since={said['cursor']} HTTP/1.1\r\n"
                       "Host: chat\r\nAccept-Encoding: gzip\r\n\r\n".encode())
        head = receive_until(stream, b"retry: ")
        self.assertTrue(head.startswith(b"HTTP/1.1 200"), head)
        # Nothing more is said before it has come: whoever holds it back holds it for ever.
        for text in ("one", "two", "three"):
            said, _ = self.post(text)
            event = receive_until(stream, f'"text":"{text}"'.encode())
            self.assertIn(f"id: {said['cursor']}\n".encode(), event)

    def test_a_long_poll_waits_and_is_answered(self):
        said, _ = self.post("before")
        poll = self.connect()
        poll.sendall(f"GET /api/v1/rooms/r/messages?wait=60s&since={said['cursor']} HTTP/1.1\r\n"
                     "Host: chat\r\n\r\n".encode())
        self.post("at last")
        self.assertIn(b'"at last"', receive_until(poll, b'"more":'))
        # The same connection waits again, and is told when the server goes.
        poll.sendall(f"GET /api/v1/rooms/other/messages?wait=1ms&since={said['cursor']} HTTP/1.1"
                     "\r\nHost: chat\r\n\r\n".encode())
        self.assertIn(b'"messages":[]', receive_until(poll, b'"more":'))

    def test_a_client_is_known_by_its_own_address_at_every_door(self):
        for _ in range(50):
            _, left = self.post("much", client="127.0.0.2")
        self.assertLess(left, 970)
        _, others = self.post("little", client="127.0.0.3")
        self.assertGreater(others, 990)
        # Whatever it says of itself.
        _, left = self.post("a lie", client="127.0.0.2", **{"X-Forwarded-For": "127.0.0.3"})
        self.assertLess(left, 970)
        # What is said by WebSocket counts for the same address.
        session = self.websocket("bob", client="127.0.0.3")
        for i in range(35):
            self.say(session, f"word {i}.")
            receive_until(session, f'"word {i}."'.encode())
        _, left = self.post("more", client="127.0.0.3")
        self.assertLess(left, 980)

    def test_the_goodbye_of_a_drain_passes(self):
        ann = self.websocket("ann")
        self.server.signal(15)
        self.assertIn(b'"drain"', receive_until(ann, b"\x03\xf4"))  # the close code, 1012
        ann.close()
        self.assertEqual(self.server.end(), 0)


class BehindNginx(Behind, unittest.TestCase):
    proxy = Nginx


class BehindHaproxy(Behind, unittest.TestCase):
    proxy = Haproxy


if __name__ == "__main__":
    program_test.PARLEYD = os.path.abspath(sys.argv.pop(1))
    SOURCE = pathlib.Path(sys.argv.pop(1))
    unittest.main()
