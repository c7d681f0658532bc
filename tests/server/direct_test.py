"""Direct messages over every door, what is unread, and read marks through a restart.

usage: direct_test.py PARLEYD
"""

import asyncio
import json
import sys
import tempfile
import threading
import unittest

import socketio

import accounts_test
import program_test
from accounts_test import reply

PATIENCE = program_test.PATIENCE


async def heard(connection, kind):
    """The next frame of that type; what else comes is passed over."""
    while True:
        frame = json.loads(await asyncio.wait_for(connection.recv(), PATIENCE))
        if frame["type"] == kind:
            return frame


class Server(accounts_test.Server):
    def __init__(self, folder, **settings):
        super().__init__(folder, history__store=f"sqlite:{folder}/history.db", **settings)

    def my_rooms(self, token):
        status, answer, _ = self.ask("GET", "/api/v1/me/rooms", token=token)
        assert status == 200, answer
        return {room["room"]: room for room in answer["rooms"]}


class Direct(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def serve(self):
        server = Server(self.folder)
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def end(self, server):
        server.signal(15)
        self.assertEqual(server.end(), 0)

    def test_it_waits_for_who_is_away_and_is_read_through_a_restart(self):
        server = self.serve()
        ann, bob, eve = (server.register(name) for name in ("ann", "bob", "eve"))
        status, sent, _ = server.ask("POST", "/api/v1/direct/BOB/messages", {"text": "one"}, ann)
        self.assertEqual(status, 201, sent)
        room = sent["room"]
        self.assertTrue(room.startswith("dm:"))
        server.ask("POST", "/api/v1/direct/bob/messages", {"text": "two"}, ann)
        mine = server.my_rooms(bob)[room]
        self.assertEqual((mine["kind"], mine["unread"], mine["read"]), ("direct", 2, 0))
        self.assertEqual(mine["direct"]["name"], "ann")
        self.assertEqual(mine["last"]["text"], "two")
        self.assertEqual(server.my_rooms(ann)[room]["unread"], 0)
        self.assertEqual(server.my_rooms(eve), {})

        # Nobody else's, at any door.
        path = f"/api/v1/rooms/{room}"
        for method, leaf, body in (("GET", "/messages", None), ("GET", "/search?q=one", None),
                                   ("GET", "/members", None), ("GET", "/read", None),
                                   ("POST", "/messages", {"text": "x"}),
                                   ("POST", "/read", {"offset": 1}),
                                   ("PATCH", "/messages/1", {"text": "x"}),
                                   ("DELETE", "/messages/1", None),
                                   ("PUT", "/members/me", {}), ("GET", "/events", None),
                                   ("GET", "/messages?since=x:1&wait=1s", None)):
            status, answer, _ = server.ask(method, path + leaf, body, eve)
            self.assertEqual((status, answer.get("code")), (403, "forbidden"), (method, leaf))
        listed = server.ask("GET", "/api/v1/rooms", token=eve)[1]["rooms"]
        self.assertEqual([one["room"] for one in listed], [])

        self.assertEqual(server.ask("POST", path + "/read", {"offset": 1}, bob)[0], 204)
        self.end(server)

        server = self.serve()
        mine = server.my_rooms(bob)[room]
        self.assertEqual((mine["read"], mine["unread"]), (1, 1))
        readers = server.ask("GET", path + "/read", token=ann)[1]["read"]
        self.assertEqual({one["user"]["name"]: one["offset"] for one in readers},
                         {"ann": 2, "bob": 1})

        async def joins():
            async with server.websocket() as connection:
                await reply(connection, type="hello", token=bob)
                joined = await reply(connection, type="join", room=room)
                self.assertEqual(joined["read"], 1)
                self.assertEqual([m["text"] for m in joined["history"]], ["one", "two"])
                await reply(connection, type="read", room=room, offset=2)
                rooms = await reply(connection, type="rooms")
                self.assertEqual(rooms["rooms"][0]["unread"], 0)
        asyncio.run(joins())

    def test_all_sessions_of_both_hear_it_whatever_they_came_by(self):
        server = self.serve()
        ann, bob = (server.register(name) for name in ("ann", "bob"))
        client = socketio.Client()
        said = []
        told, joined = threading.Event(), threading.Event()
        client.on("private_message", lambda message, *_: (said.append(message), told.set()))
        client.on("direct_joined", lambda *_: joined.set())

        async def talk():
            async with server.websocket() as one, server.websocket() as two, \
                    server.websocket() as other:
                await reply(one, type="hello", token=ann)
                await reply(two, type="hello", token=ann)
                await reply(other, type="hello", token=bob)
                ack = await reply(one, type="direct", to="bob", text="psst", key="k")
                self.assertEqual(ack["type"], "ack")
                for connection, with_whom in ((two, "bob"), (other, "ann")):
                    entered = await heard(connection, "joined")
                    self.assertEqual(entered["room"], ack["room"])
                    self.assertEqual(entered["direct"]["name"], with_whom)
                    self.assertNotIn("id", entered)
                    message = await heard(connection, "message")
                    self.assertEqual((message["room"], message["text"]), (ack["room"], "psst"))
                again = await reply(one, type="direct", to="bob", text="psst", key="k")
                self.assertEqual(again["offset"], ack["offset"])
                await asyncio.to_thread(joined.wait, PATIENCE)
                await reply(other, type="send", room=ack["room"], text="what?")
                self.assertEqual((await heard(two, "message"))["text"], "what?")
                return ack["room"]

        client.connect(f"http://127.0.0.1:{server.port}", auth={"token": bob},
                       wait_timeout=PATIENCE)
        try:
            room = asyncio.run(talk())
            self.assertTrue(told.wait(PATIENCE))
            self.assertEqual((said[0]["text"], said[0]["room"]), ("psst", room))
            acked = threading.Event()
            answers = []
            client.emit("private_message", {"to": "ann", "message": "by socket.io"},
                        callback=lambda answer: (answers.append(answer), acked.set()))
            self.assertTrue(acked.wait(PATIENCE))
            self.assertEqual(answers[0]["room"], room)
        finally:
            client.disconnect()


if __name__ == "__main__":
    program_test.PARLEYD = sys.argv.pop(1)
    unittest.main(warnings="ignore")
