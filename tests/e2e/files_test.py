"""Files through a parleyd of their own, with curl as people use it: large ones, killed servers, full disks.

usage: files_test.py PARLEYD
"""

import ctypes
import hashlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "server"))
import program_test  # noqa: E402
from operation_test import scrape  # noqa: E402
from program_test import PATIENCE, Running, run  # noqa: E402
from tls_program_test import make_certificate  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n"
FILES = "/api/v1/rooms/lobby/files"


def curl(server, path, *arguments, data=None, patience=PATIENCE):
    """(status, body) of a request by curl."""
    result = subprocess.run(
        ["curl", "-sS", "-w", "%{stderr}%{http_code}", *arguments,
         f"http://127.0.0.1:{server.port}{path}"],
        input=data, capture_output=True, timeout=patience, check=False)
    return int(result.stderr[-3:]), result.stdout


def until(condition):
    """Waits for what must come."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not come to be")
        os.sched_yield()


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.temp = pathlib.Path(folder.name)
        self.folder = self.temp / "files"

    def running(self, folder=None, flags=(), **settings):
        environment = {"PARLEY_FILES__FOLDER": str(folder or self.folder)}
        for name, value in settings.items():
            environment[f"PARLEY_FILES__{name.upper()}"] = str(value)
        return Running("--shards", "2", "--no-limits", *flags, admin="127.0.0.1:0",
                       environment=environment)

    def contents(self, folder=None):
        """Content on disk, and uploads on their way."""
        return sorted(path.name for path in (folder or self.folder).rglob("*")
                      if path.is_file() and path.name != "lock"
                      and not path.name.startswith("index.db"))

    def make(self, name, data):
        path = self.temp / name
        path.write_bytes(data)
        return path

    def put(self, server, path, *arguments, query="?name=ann"):
        status, body = curl(server, FILES + query, "-F", f"file=@{path}", *arguments)
        self.assertEqual(status, 201, body)
        return json.loads(body)["file"]

    def test_pictures_by_curl(self):
        picture = self.make("a cat.png", PNG + os.urandom(200_000))
        with self.running() as server:
            file = self.put(server, picture)
            digest = hashlib.sha256(picture.read_bytes()).hexdigest()
            self.assertEqual((file["name"], file["type"], file["size"], file["sha256"]),
                             ("a cat.png", "image/png", 200_008, digest))
            self.assertEqual(self.contents(), [digest])
            self.assertEqual(curl(server, file["url"]), (200, picture.read_bytes()))
            self.assertEqual(curl(server, file["url"], "-r", "100-199"),
                             (206, picture.read_bytes()[100:200]))
            # What was cut off is taken up where it ended.
            part = self.make("part", picture.read_bytes()[:1000])
            self.assertEqual(curl(server, file["url"], "-C", "-", "-o", str(part))[0], 206)
            self.assertEqual(part.read_bytes(), picture.read_bytes())
            again = self.put(server, picture)
            self.assertNotEqual(again["id"], file["id"])
            self.assertEqual(self.contents(), [digest])
            metrics = scrape(server.admin)
            self.assertEqual(metrics["parley_files_stored_total"], 2)
            self.assertEqual(metrics["parley_files_deduplicated_total"], 1)
            self.assertEqual(metrics["parley_file_content_bytes"], 200_008)
            for each in (file, again):
                self.assertEqual(curl(server, each["url"] + "?name=ann", "-X", "DELETE")[0], 204)
            self.assertEqual(self.contents(), [])

    def test_a_large_file_is_never_held_whole(self):
        size = 200 * 1024 * 1024
        large = self.temp / "large.bin"
        with large.open("wb") as out:
            out.truncate(size)
        with self.running(size_max="1GiB", types="*") as server:
            def peak():
                status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
                return int(status.split("VmHWM:")[1].split()[0]) * 1024

            before = peak()
            status, body = curl(server, FILES, "-T", str(large), "-X", "POST", "-H",
                                "Transfer-Encoding: chunked", patience=150)
            self.assertEqual(status, 201, body)
            file = json.loads(body)["file"]
            self.assertEqual((file["size"], file["type"]), (size, "application/octet-stream"))
            fetched = self.temp / "fetched"
            self.assertEqual(curl(server, file["url"], "-o", str(fetched), patience=150)[0],
                             200)
            with fetched.open("rb") as got:
                self.assertEqual(hashlib.file_digest(got, "sha256").hexdigest()
                                 if hasattr(hashlib, "file_digest")
                                 else hashlib.sha256(got.read()).hexdigest(), file["sha256"])
            self.assertLess(peak() - before, 16 * 1024 * 1024)

    def test_the_same_over_tls(self):
        make_certificate(self.temp, "server")
        cert, key = str(self.temp / "server.pem"), str(self.temp / "server.key")
        picture = self.make("a.png", PNG + os.urandom(3_000_000))
        with self.running(None, ("--tls-listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key",
                                 key)) as server:
            port = next(entry["address"] for entry in server.log
                        if entry["msg"] == "listening" and entry["listener"] == "tls").split(":")[1]

            def secured(path, *arguments):
                return subprocess.run(
                    ["curl", "-sS", "--fail", "--cacert", cert, *arguments,
                     f"https://localhost:{port}{path}"],
                    capture_output=True, timeout=PATIENCE, check=True).stdout

            file = json.loads(secured(FILES, "-F", f"file=@{picture}"))["file"]
            self.assertEqual(secured(file["url"]), picture.read_bytes())
            self.assertEqual(secured(file["url"], "-r", "-10"), picture.read_bytes()[-10:])

    def test_what_is_refused(self):
        page = self.make("page.html", b"<script>alert(1)</script>")
        with self.running(size_max=1000, quota_per_user=1500) as server:
            self.assertEqual(curl(server, FILES, "-F", f"file=@{page};type=image/png")[0], 415)
            self.assertEqual(curl(server, FILES, "-F", f"file=@{page}")[0], 415)
            self.assertEqual(curl(server, FILES, "--data-binary", "@-", data=b"a" * 1001)[0], 413)
            for name, expected in (("one", 201), ("two", 403)):
                self.assertEqual(curl(server, f"{FILES}?name=ann", "--data-binary", "@-",
                                      data=name.encode() * 300)[0], expected)
            self.assertEqual(self.contents(), [hashlib.sha256(b"one" * 300).hexdigest()])
            metrics = scrape(server.admin)
            for cause in ("content", "type", "size", "quota"):
                self.assertEqual(metrics[f'parley_file_refusals_total{{cause="{cause}"}}'], 1, cause)

    def test_a_room_is_served_while_files_come_and_go(self):
        picture = self.make("a.png", PNG + os.urandom(2_000_000))
        with self.running() as server:
            stop = threading.Event()

            def exchange():
                while not stop.is_set():
                    self.put(server, picture)

            threads = [threading.Thread(target=exchange) for _ in range(2)]
            for thread in threads:
                thread.start()
            try:
                connection = http.client.HTTPConnection("127.0.0.1", server.port,
                                                        timeout=PATIENCE)
                self.addCleanup(connection.close)
                for offset in range(1, 101):
                    connection.request("POST", "/api/v1/rooms/lobby/messages",
                                       json.dumps({"text": "hello", "name": "bob"}),
                                       {"Content-Type": "application/json"})
                    answer = connection.getresponse()
                    self.assertEqual(json.loads(answer.read())["offset"], offset)
            finally:
                stop.set()
                for thread in threads:
                    thread.join()

    def test_a_killed_server_leaves_what_it_promised_and_nothing_else(self):
        known = {}
        for _ in range(5):
            with self.running(uploads_per_user=8) as server:
                for url, file in known.items():
                    status, body = curl(server, url)
                    self.assertEqual((status, hashlib.sha256(body).hexdigest()),
                                     (200, file["sha256"]))

                def upload():
                    try:
                        for _ in range(1000):
                            file = self.put(server, self.make(f"f{threading.get_ident()}",
                                                              PNG + os.urandom(30_000)))
                            known[file["url"]] = file
                    except (AssertionError, ValueError, json.JSONDecodeError):
                        pass  # the server is gone

                threads = [threading.Thread(target=upload) for _ in range(3)]
                for thread in threads:
                    thread.start()
                had = len(known)
                until(lambda: len(known) >= had + 10)
                server.signal(signal.SIGKILL)
                for thread in threads:
                    thread.join()
        with self.running() as server:
            for url, file in known.items():
                self.assertEqual(hashlib.sha256(curl(server, url)[1]).hexdigest(), file["sha256"])
            listed = json.loads(curl(server, FILES + "?limit=200")[1])
            names = {file["sha256"] for file in listed["files"]}
            while "next" in listed:
                listed = json.loads(curl(server, f"{FILES}?limit=200&before={listed['next']}")[1])
                names |= {file["sha256"] for file in listed["files"]}
            # A file whose answer was cut off may be there; content without a file may not.
            self.assertEqual(set(self.contents()), names)
            self.assertLessEqual({file["sha256"] for file in known.values()}, names)

    def test_a_full_disk_harms_nothing(self):
        disk = self.temp / "disk"
        disk.mkdir()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"none", bytes(disk), b"tmpfs", 0, b"size=2m") != 0:
            self.skipTest(f"no tmpfs may be mounted here: {os.strerror(ctypes.get_errno())}")
        self.addCleanup(libc.umount2, bytes(disk), 2)
        small = self.make("small.png", PNG + os.urandom(100_000))
        large = self.make("large.png", PNG + os.urandom(3_000_000))
        folder = disk / "files"
        with self.running(folder) as server:
            kept = self.put(server, small)
            for _ in range(3):
                status, body = curl(server, f"{FILES}?name=ann", "-i", "-F", f"file=@{large}")
                self.assertEqual(status, 503, body)
                self.assertIn(b"Retry-After: 30\r\n", body)
                self.assertIn(b'"code":"unavailable"', body)
                self.assertEqual(self.contents(folder), [kept["sha256"]])
            metrics = scrape(server.admin)
            self.assertEqual(metrics["parley_files_failing"], 1)
            self.assertEqual(metrics['parley_file_refusals_total{cause="disk"}'], 3)
            self.assertIn("No space left", server.wait_for("files can't be kept or read")["cause"])
            # Everything else goes on.
            self.assertEqual(curl(server, kept["url"]), (200, small.read_bytes()))
            self.assertEqual(curl(server, "/api/v1/rooms/lobby/messages", "-d", "text=a")[0], 201)
            self.put(server, self.make("other.png", PNG + os.urandom(100_000)))
            self.assertEqual(scrape(server.admin)["parley_files_failing"], 0)
            server.wait_for("files are kept again")
            self.assertEqual(curl(server, kept["url"] + "?name=ann", "-X", "DELETE")[0], 204)

    def test_a_disk_without_room_for_the_index_harms_nothing(self):
        disk = self.temp / "disk"
        disk.mkdir()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"none", bytes(disk), b"tmpfs", 0, b"size=1m") != 0:
            self.skipTest(f"no tmpfs may be mounted here: {os.strerror(ctypes.get_errno())}")
        self.addCleanup(libc.umount2, bytes(disk), 2)
        folder = disk / "files"
        with self.running(folder) as server:
            statuses = set()
            known = {}
            for i in range(400):
                status, body = curl(server, f"{FILES}?name=ann", "--data-binary", "@-",
                                    data=f"file {i} ".encode() * 500)
                statuses.add(status)
                if status == 201:
                    file = json.loads(body)["file"]
                    known[file["url"]] = file
                elif len(known) > 20 and i > 380:
                    break
            self.assertEqual(statuses, {201, 503})
            for url, file in known.items():
                status, body = curl(server, url)
                self.assertEqual(hashlib.sha256(body).hexdigest(), file["sha256"])
            self.assertEqual(self.contents(folder),
                             sorted(file["sha256"] for file in known.values()))

    def test_two_servers_do_not_share_a_folder(self):
        with self.running():
            self.assertEqual(
                run("--listen", "127.0.0.1:0", "--log-level", "off",
                    environment={"PARLEY_FILES__FOLDER": str(self.folder)}),
                (1, "", f"parleyd: files.folder: {self.folder}: another server keeps its files "
                        "there\n"))

    def test_a_folder_that_cant_be_used_is_one_line(self):
        blocked = self.make("blocked", b"")
        code, out, err = run("--listen", "127.0.0.1:0", "--log-level", "off",
                             environment={"PARLEY_FILES__FOLDER": str(blocked)})
        self.assertEqual((code, out, err.count("\n")), (1, "", 1))
        self.assertIn(f"files.folder: {blocked}", err)

    def test_a_drain_waits_for_an_upload(self):
        with self.running() as server, socket.create_connection(
                (server.host, server.port), PATIENCE) as connection:
            body = PNG + os.urandom(100_000)
            connection.sendall(f"POST {FILES} HTTP/1.1\r\nHost: a\r\nContent-Length: "
                               f"{len(body)}\r\n\r\n".encode() + body[:50_000])
            until(lambda: scrape(server.admin)["parley_file_uploads"] == 1)
            server.signal(signal.SIGTERM)
            server.wait_for("draining")
            connection.sendall(body[50_000:])
            answer = program_test.receive_until(connection, b"\r\n\r\n")
            self.assertTrue(answer.startswith(b"HTTP/1.1 201 "), answer)
            self.assertIn(b"Connection: close", answer)
            self.assertEqual(server.end(), 0)


if __name__ == "__main__":
    program_test.PARLEYD = sys.argv.pop(1)
    # What AddressSanitizer keeps of freed memory would be taken for what the server holds.
    given = os.environ.get("ASAN_OPTIONS")
    os.environ["ASAN_OPTIONS"] = (given + ":" if given else "") + "quarantine_size_mb=1"
    unittest.main()
