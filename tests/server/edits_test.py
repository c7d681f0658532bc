"""Messages edited and deleted, through kills at any moment: what was acked is there, both halves of
it or none, and nothing of what was deleted is left.

usage: edits_test.py PARLEYD [POSTGRES_BIN]

Histories are in SQLite, or with the folder of PostgreSQL's programs in that.
"""

import http.client
import json
import pathlib
import random
import sys
import tempfile
import threading
import time
import unittest

import postgres
import program_test

PATIENCE = program_test.PATIENCE
KILLS = 6
WRITERS = 8


database = None  # a Postgres, where that keeps the histories


class Store:
    """A new and empty one, and a folder."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = self.temporary.name
        self.name = database.make_database() if database else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()

    def setting(self):
        return database.store(self.name) if database else f"sqlite:{self.folder}/history.db"

    def contents(self):
        if database:
            return database.dump(self.name)
        return b"".join(file.read_bytes() for file in pathlib.Path(self.folder).iterdir())


class Server(program_test.Running):
    def __init__(self, store, durability="sync", **environment):
        super().__init__("--shards", "2", "--no-limits", "--history", store.setting(),
                         environment={"PARLEY_HISTORY__DURABILITY": durability, **environment})

    def ask(self, method, path, body=None, name="ann"):
        """(status, answer); raises OSError or HTTPException where the server is gone."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json", "X-Parley-Name": name})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def messages(self, room):
        """All of the room, by offset."""
        found, before = {}, ""
        while True:
            status, page = self.ask("GET", f"/api/v1/rooms/{room}/messages?limit=200{before}")
            if status == 404:
                return found
            assert status == 200, page
            found.update({message["offset"]: message for message in page["messages"]})
            if not page["more"]:
                return found
            before = "&before=" + page["messages"][0]["cursor"]


class Writer(threading.Thread):
    """Says, edits and deletes in a room of its own until the server is gone; notes what was acked, and
    what may have been done though no ack came."""

    def __init__(self, server, number, seed):
        super().__init__()
        self.server, self.random = server, random.Random(seed)
        self.room, self.number = f"room-{number}", number
        self.acked = {}    # offset: what it says, or None where it is deleted
        self.maybe = None  # (offset, what it may say)
        self.count = 0

    def step(self):
        messages = f"/api/v1/rooms/{self.room}/messages"
        mine = [offset for offset, text in self.acked.items() if text is not None]
        act = self.random.choice(["say", "edit", "edit", "delete"]) if mine else "say"
        self.count += 1
        text = f"text{self.number}x{self.random.getrandbits(60):x}"
        if act == "say":
            status, ack = self.server.ask("POST", messages, {"text": text})
            assert status == 201, ack
            self.acked[ack["offset"]] = text
            return
        offset = self.random.choice(mine)
        wanted = text if act == "edit" else None
        self.maybe = (offset, wanted)
        if act == "edit":
            status, ack = self.server.ask("PATCH", f"{messages}/{offset}", {"text": text})
        else:
            status, ack = self.server.ask("DELETE", f"{messages}/{offset}")
        assert status == 200, ack
        self.acked[offset] = wanted
        self.maybe = None

    def run(self):
        try:
            while True:
                self.step()
        except (OSError, http.client.HTTPException):
            pass


class Kills(unittest.TestCase):
    def check(self, server, writer):
        kept = server.messages(writer.room)
        self.assertEqual(sorted(kept), list(range(1, len(kept) + 1)), "offsets have no holes")
        amendments = {}  # by what they are about
        for offset, message in kept.items():
            if message.get("event") in ("edit", "delete"):
                amendments.setdefault(message["data"]["offset"], []).append((offset, message))
        for offset, wanted in writer.acked.items():
            message = kept[offset]
            allowed = [wanted]
            if writer.maybe and writer.maybe[0] == offset:
                allowed.append(writer.maybe[1])
            self.assertIn(message.get("text"), allowed)
            writer.acked[offset] = message.get("text")
            # Both halves, or none.
            about = amendments.pop(offset, [])
            last = about[-1] if about else None
            if message.get("text") is None:
                self.assertEqual((last[1]["event"], last[1]["at"]), ("delete", message["deleted"]))
            elif last:
                self.assertEqual((last[0], last[1]["at"]), (message["edit"], message["edited"]))
                self.assertEqual(last[1]["data"]["text"], message["text"])
            else:
                self.assertNotIn("edited", message)
            for _, overtaken in about[:-1]:
                self.assertNotIn("text", overtaken["data"])
        self.assertEqual(amendments, {}, "what says so, of messages that were acked")
        writer.maybe = None
        return len(kept)

    def test_what_was_acked_is_there_with_both_its_halves(self):
        with Store() as store:
            total = 0
            for kill in range(KILLS):
                with Server(store) as server:
                    writers = [Writer(server, f"{kill}-{i}", 1000 * kill + i)
                               for i in range(WRITERS)]
                    for writer in writers:
                        writer.start()
                    # By what was done, not by the clock: somewhere in the midst of it.
                    while writers[0].count < 5 + 17 * kill and writers[0].is_alive():
                        writers[0].join(0.01)
                    server.process.kill()
                    for writer in writers:
                        writer.join()
                    server.process.wait(PATIENCE)
                with Server(store) as server:
                    for writer in writers:
                        total += self.check(server, writer)
            self.assertGreater(total, KILLS * WRITERS)

    def test_after_a_restart_everything_is_as_it_was_and_nothing_is_left_of_what_was_deleted(self):
        for durability in ("sync", "async"):
            with Store() as store:
                with Server(store, durability) as server:
                    room = "/api/v1/rooms/lobby/messages"
                    # So many that their words are noted.
                    for text in ("unutterable", "helo", "kept", *["more"] * 61):
                        self.assertEqual(server.ask("POST", room, {"text": text})[0], 201)
                    # The index has it before it goes.
                    found = server.ask("GET", "/api/v1/rooms/lobby/search?q=unutterable")[1]
                    self.assertEqual(len(found["messages"]), 1)
                    if database:
                        end = time.monotonic() + PATIENCE
                        while b"'unutterable'" not in store.contents():
                            self.assertLess(time.monotonic(), end, "its words are not noted")
                    self.assertEqual(server.ask("PATCH", room + "/2", {"text": "hello"})[0], 200)
                    self.assertEqual(server.ask("DELETE", room + "/1")[0], 200)
                    self.assertEqual(server.ask("DELETE", room + "/3", name="bob")[0], 403)
                    server.signal(15)
                    self.assertEqual(server.end(), 0)
                with Server(store, durability) as server:
                    kept = server.messages("lobby")
                    self.assertEqual([m.get("text") for m in kept.values()],
                                     [None, "hello", "kept", *["more"] * 61, None, None])
                    self.assertIn("deleted", kept[1])
                    self.assertEqual(kept[2]["edit"], 65)

                    def found(words):
                        answer = server.ask("GET", f"/api/v1/rooms/lobby/search?q={words}")
                        return [m["offset"] for m in answer[1]["messages"]]
                    self.assertEqual(found("unutterable"), [])
                    self.assertEqual(found("helo"), [])
                    self.assertEqual(found("hello"), [2])
                    self.assertEqual(found("kept"), [3])
                    server.signal(15)
                    self.assertEqual(server.end(), 0)
                stored = store.contents()
                self.assertIn(b'"text":"hello"', stored)
                self.assertNotIn(b'"text":"unutterable"', stored)
                if database:
                    self.assertNotIn(b"unutterable", stored, "among the words neither")

    def test_files_go_with_the_message_that_names_them(self):
        with Store() as store:
            with Server(store, PARLEY_FILES__FOLDER=f"{store.folder}/files") as server:
                def upload(name):
                    connection = http.client.HTTPConnection("127.0.0.1", server.port,
                                                            timeout=PATIENCE)
                    connection.request("POST", "/api/v1/rooms/lobby/files", b"plain text",
                                       {"Content-Type": "text/plain", "X-Parley-Name": name})
                    answer = json.loads(connection.getresponse().read())
                    connection.close()
                    return answer["file"]["url"]
                mine, others, shared = upload("ann"), upload("bob"), upload("ann")
                room = "/api/v1/rooms/lobby/messages"
                server.ask("POST", room, {"data": {"files": [mine, others, shared]}})
                server.ask("POST", room, {"text": f"see {shared}"}, name="bob")
                self.assertEqual(server.ask("DELETE", room + "/1")[0], 200)

                def there(url):
                    connection = http.client.HTTPConnection("127.0.0.1", server.port,
                                                            timeout=PATIENCE)
                    connection.request("GET", url)
                    status = connection.getresponse().status
                    connection.close()
                    return status
                # It is removed behind the answer, and what is asked next may still meet it.
                deadline = time.monotonic() + PATIENCE
                while there(mine) != 404 and time.monotonic() < deadline:
                    pass
                self.assertEqual(there(mine), 404)
                self.assertEqual(there(others), 200, "another's")
                self.assertEqual(there(shared), 200, "another message shows it")


if __name__ == "__main__":
    program_test.PARLEYD = sys.argv.pop(1)
    if len(sys.argv) > 1:
        database = postgres.Postgres(sys.argv.pop(1))
    try:
        unittest.main(verbosity=2)
    finally:
        if database:
            database.remove()
