"""parleyd behind nginx and haproxy, by the configurations of conf/ with nothing but their ports
changed.

usage: proxy_test.py PARLEYD SOURCE
"""

import base64
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
        server = Running("--shards", "2")
        self.server = server.__enter__()
        self.addCleanup(server.__exit__)
        proxy = self.proxy(self.server.port)
        self.port = proxy.__enter__().port
        self.addCleanup(proxy.__exit__)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}",
                                    timeout=PATIENCE) as answer:
            return answer.status, answer.read()

    def websocket(self, name):
        """A session in the room r, through the proxy, that says its bare text there."""
        connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self.addCleanup(connection.close)
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
