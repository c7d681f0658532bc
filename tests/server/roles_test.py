"""Who may do what in a room, on every door of parleyd: the matrix of roles, acts and kinds of rooms,
and what becomes of those who are put out.

usage: roles_test.py PARLEYD
"""

import asyncio
import json
import pathlib
import sqlite3
import sys
import tempfile
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request

import socketio

import accounts_test
import program_test
from accounts_test import reply

PATIENCE = program_test.PATIENCE
KINDS = ["public", "members", "read-only", "private"]
ROLES = ["banned", "muted", "none", "member", "moderator", "owner"]

# Which roles may, by act and kind. Written out, and not worked out.
MATRIX = {
    "read": {"public": ["muted", "none", "member", "moderator", "owner"],
             "members": ["muted", "member", "moderator", "owner"],
             "read-only": ["muted", "none", "member", "moderator", "owner"],
             "private": ["muted", "member", "moderator", "owner"]},
    "send": {"public": ["none", "member", "moderator", "owner"],
             "members": ["member", "moderator", "owner"],
             "read-only": ["moderator", "owner"],
             "private": ["member", "moderator", "owner"]},
    "moderate": {kind: ["moderator", "owner"] for kind in KINDS},
    "appoint": {kind: ["owner"] for kind in KINDS},
}

CONFIG = "".join(f"""
[[rooms]]
match = "{kind}.*"
kind = "{kind}"
owners = ["root"]

[[rooms]]
match = "free-{kind}.*"
kind = "{kind}"
""" for kind in KINDS)


class Server(accounts_test.Server):
    def __init__(self, folder, admin="off"):
        config = pathlib.Path(folder) / "parley.toml"
        config.write_text(CONFIG)
        program_test.Running.__init__(
            self, "--config", str(config), "--shards", "2", "--no-limits", "--history",
            f"sqlite:{folder}/history.db", admin=admin,
            environment={**accounts_test.CHEAP,
                         "PARLEY_ACCOUNTS__STORE": f"sqlite:{folder}/accounts.db",
                         "PARLEY_FILES__FOLDER": f"{folder}/files"})

    def make(self, token, room, user, role, status=200, **more):
        answer = self.ask("PUT", f"/api/v1/rooms/{room}/roles/{urllib.parse.quote(user)}",
                          {"role": role, **more}, token)
        assert answer[0] == status, answer
        return answer[1]

    def upload(self, room, token):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/rooms/{room}/files?filename=a.txt",
            data=b"a text", headers={"Content-Type": "text/plain",
                                     "Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {}

    def stream(self, room, token, query=""):
        """An open stream of events, or the status that refused it."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/rooms/{room}/events{query}",
            headers={"Authorization": f"Bearer {token}", "Accept": "text/event-stream"})
        try:
            return urllib.request.urlopen(request, timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code


class WithServer(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def serve(self, **how):
        server = Server(self.folder, **how)
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server


def events_of(stream):
    """(name, data) of each event, to the stream's end."""
    name = None
    for line in stream:
        text = line.decode().rstrip("\n")
        if text.startswith("event:"):
            name = text[6:].strip()
        elif text.startswith("data:"):
            yield name, json.loads(text[5:])


async def push(connection, kinds):
    """The next frame of that type, or of one of those."""
    while True:
        received = json.loads(await asyncio.wait_for(connection.recv(), PATIENCE))
        if received["type"] in ({kinds} if isinstance(kinds, str) else kinds):
            return received


# ---- the matrix ------------------------------------------------------------------------------------

class Matrix(WithServer):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        # Somebody has to take the log.
        threading.Thread(target=self.server.process.stderr.read, daemon=True).start()
        self.root = self.server.register("root")
        self.tokens = {role: self.server.register(f"is-{role}") for role in ROLES}
        self.server.register("target")
        for kind in KINDS:
            for role in ROLES:
                if role == "muted":
                    self.server.make(self.root, f"{kind}.r", f"is-{role}", "member")
                if role != "none":
                    self.server.make(self.root, f"{kind}.r", f"is-{role}", role)
            status, _ = self.server.upload(f"{kind}.r", self.root)
            self.assertEqual(status, 201)
        self.seen = 0

    def expect(self, act, kind, role, status, what):
        may = role in MATRIX[act][kind]
        self.assertEqual(status < 400, may, f"{what} by {role} in {kind}: {status}")
        if not may:
            self.assertEqual(status, 403, f"{what} by {role} in {kind}")
        self.seen += 1

    def test_over_rest(self):
        server = self.server
        for kind in KINDS:
            room = f"{kind}.r"
            files = server.ask("GET", f"/api/v1/rooms/{room}/files", token=self.root)[1]["files"]
            for role, token in self.tokens.items():
                rows = [
                    ("read", "GET", "", None), ("read", "GET", "/messages", None),
                    ("read", "GET", "/messages?wait=1ms", None),
                    ("read", "GET", "/members", None), ("read", "GET", "/search?q=hi", None),
                    ("read", "GET", "/files", None),
                    ("read", "PUT", "/members/me", {}), ("read", "POST", "/read", {"offset": 1}),
                    ("send", "POST", "/messages", {"text": "hi"}),
                    ("send", "POST", "/messages", {"text": "hi", "key": f"{kind}{role}"}),
                    ("send", "POST", "/typing", {}),
                    ("moderate", "PUT", "/topic", {"topic": "all"}),
                    ("moderate", "POST", "/kick", {"user": "target"}),
                    ("moderate", "PUT", "/roles/target", {"role": "member"}),
                    ("moderate", "PUT", "/roles/target", {"role": "muted", "for": "10m"}),
                    ("moderate", "PUT", "/roles/target", {"role": "banned"}),
                    ("appoint", "PUT", "/roles/target", {"role": "moderator"}),
                    ("moderate", "DELETE", "/roles/target", None),
                ]
                for act, method, path, body in rows:
                    if (body or {}).get("role") == "muted":
                        # Who is nobody in a room of members has nothing to be muted of.
                        server.make(self.root, room, "target", "member")
                    status, answer, _ = server.ask(method, f"/api/v1/rooms/{room}{path}", body,
                                                   token)
                    self.expect(act, kind, role, status, f"{method} {path} {body} {answer}")
                    server.ask("DELETE", f"/api/v1/rooms/{room}/roles/target", token=self.root)
                self.expect("send", kind, role, server.upload(room, token)[0], "upload")
                status, *_ = server.ask("GET", f"/api/v1/files/{files[0]['id']}", token=token)
                self.expect("read", kind, role, status, "download")
                stream = server.stream(room, token)
                self.expect("read", kind, role, stream if isinstance(stream, int) else 200, "SSE")
                if not isinstance(stream, int):
                    stream.close()
        self.assertEqual(self.seen, len(KINDS) * len(ROLES) * 21)

    def test_over_websocket(self):
        async def run():
            for kind in KINDS:
                room = f"{kind}.r"
                for role, token in self.tokens.items():
                    async with self.server.websocket(
                            Authorization=f"Bearer {token}") as connection:
                        rows = [
                            ("read", {"type": "room"}), ("read", {"type": "join"}),
                            ("read", {"type": "history"}), ("read", {"type": "members"}),
                            ("send", {"type": "send", "text": "hi"}),
                            ("send", {"type": "send", "text": "hi", "key": f"{kind}{role}"}),
                            ("send", {"type": "typing"}),
                            ("moderate", {"type": "topic", "topic": "all"}),
                            ("moderate", {"type": "kick", "user": "target"}),
                            ("moderate", {"type": "role", "user": "target", "role": "member"}),
                            ("moderate", {"type": "role", "user": "target", "role": "muted",
                                          "for": "10m"}),
                            ("appoint", {"type": "role", "user": "target", "role": "owner"}),
                            ("appoint", {"type": "role", "user": "target", "role": "moderator"}),
                        ]
                        inside = role in MATRIX["read"][kind]
                        for act, frame in rows:
                            answer = await reply(connection, room=room, **frame)
                            may = role in MATRIX[act][kind]
                            is_error = answer["type"] == "error"
                            where = f"{frame} by {role} in {kind}: {answer}"
                            self.assertEqual(not is_error, may, where)
                            if is_error:
                                outside = act == "send" and not inside
                                self.assertEqual(answer["code"],
                                                 "not_joined" if outside else "forbidden", where)
                            self.seen += 1
                            if frame["type"] == "role" and may:
                                # An owner is as high as root: they step down by themselves.
                                if frame["role"] == "owner":
                                    self.server.ask("DELETE",
                                                    f"/api/v1/rooms/{room}/roles/target",
                                                    token=self.tokens["owner"])
                                    await self.step_down(room)
                                if frame["role"] != "member":
                                    self.server.ask("DELETE",
                                                    f"/api/v1/rooms/{room}/roles/target",
                                                    token=self.root)
        asyncio.run(run())
        self.assertEqual(self.seen, len(KINDS) * len(ROLES) * 13)

    async def step_down(self, room):
        token = self.server.sign_in("target")
        async with self.server.websocket(Authorization=f"Bearer {token}") as target:
            answer = await reply(target, type="role", room=room, user="target", role="none")
            self.assertEqual(answer["type"], "ack", answer)


# ---- what becomes of those who are put out -----------------------------------------------------------

class PutOut(WithServer):
    def test_a_ban_ends_polls_streams_and_sessions_on_every_door(self):
        server = self.serve()
        root, ann = server.register("root"), server.register("ann")
        room = "public.b"
        cursor = server.ask("POST", f"/api/v1/rooms/{room}/messages", {"text": "1"}, root)[1]
        answers = []

        def poll():
            answers.append(server.ask(
                "GET", f"/api/v1/rooms/{room}/messages?since={cursor['cursor']}&wait=30s",
                token=ann))
        polls = [threading.Thread(target=poll) for _ in range(3)]
        for thread in polls:
            thread.start()
        stream = server.stream(room, ann, "?transient=1")
        events = events_of(stream)

        client = socketio.Client()
        self.addCleanup(client.disconnect)
        told = {}
        heard = threading.Event()
        client.on("removed", lambda data: (told.update(data), heard.set()))
        client.connect(f"http://127.0.0.1:{server.port}", auth={"token": ann, "room": room},
                       wait_timeout=PATIENCE)

        async def run():
            async with server.websocket(Authorization=f"Bearer {ann}") as first, \
                    server.websocket(Authorization=f"Bearer {ann}") as second, \
                    server.websocket(Authorization=f"Bearer {root}") as other:
                for connection in (first, second, other):
                    await reply(connection, type="join", room=room)
                # Present by all of her doors, so that they are there: the polls may still come.
                while len((await reply(other, type="members", room=room))["members"]) < 2:
                    pass
                await other.send(json.dumps({"id": 8, "type": "role", "room": room, "user": "ann",
                                             "role": "banned", "for": "1h", "reason": "enough"}))
                # The word of it and the ack, in either order.
                told_other = [await push(other, {"role", "ack"}) for _ in range(2)]
                self.assertEqual({frame["type"] for frame in told_other}, {"role", "ack"})
                for connection in (first, second):
                    removed = await push(connection, "removed")
                    self.assertEqual(removed["action"], "ban")
                    self.assertEqual(removed["by"]["name"], "root")
                    self.assertEqual(removed["reason"], "enough")
                    role = await push(connection, "role")
                    self.assertEqual(role["role"], "banned")
                    answer = await reply(connection, type="join", room=room)
                    self.assertEqual(answer["code"], "forbidden")
                    self.assertRegex(answer["message"], "^you are banned .* until 20")
                    self.assertEqual((await reply(connection, type="ping"))["type"], "pong")
                role, = (frame for frame in told_other if frame["type"] == "role")
                self.assertEqual((role["user"]["name"], role["role"]), ("ann", "banned"))
        asyncio.run(run())
        for thread in polls:
            thread.join(PATIENCE)
            self.assertFalse(thread.is_alive())
        self.assertEqual([status for status, *_ in answers], [403] * 3)
        ended = list(events)
        names = [name for name, _ in ended]
        self.assertIn("removed", names)
        self.assertEqual(ended[-1][1]["code"], "forbidden")
        stream.close()
        self.assertEqual(server.stream(room, ann), 403)
        self.assertTrue(heard.wait(PATIENCE))
        self.assertEqual((told["room"], told["action"], told["by"]), (room, "ban", "root"))
        answer = client.call("message", {"room": room, "text": "again"}, timeout=PATIENCE)
        self.assertIn(answer["error"]["code"], ("not_joined", "forbidden"))

    def test_refusals_and_words_over_socketio(self):
        server = self.serve()
        root = server.register("root")
        room = "public.s"
        client = socketio.Client()
        self.addCleanup(client.disconnect)
        heard = {}
        news = {name: threading.Event() for name in ("role", "topic")}

        def note(name):
            def handler(*data):
                heard[name] = data
                news[name].set()
            return handler
        for name in news:
            client.on(name, note(name))
        client.connect(f"http://127.0.0.1:{server.port}", auth={"username": "bob", "room": room},
                       wait_timeout=PATIENCE)
        self.assertIn("offset", client.call("message", "hi", timeout=PATIENCE))
        server.make(root, room, "bob", "muted", reason="shouting")
        self.assertTrue(news["role"].wait(PATIENCE))
        self.assertEqual(heard["role"][0]["role"], "muted")
        self.assertEqual(heard["role"][0]["username"], "bob")
        answer = client.call("message", "hi", timeout=PATIENCE)
        self.assertEqual(answer["error"]["code"], "forbidden")
        self.assertEqual(answer["error"]["message"], "you are muted here")
        status, *_ = server.ask("PUT", f"/api/v1/rooms/{room}/topic", {"topic": "all"}, root)
        self.assertEqual(status, 200)
        self.assertTrue(news["topic"].wait(PATIENCE))
        self.assertEqual(heard["topic"][0]["topic"], "all")
        answer = client.call("join", {"room": "members.s"}, timeout=PATIENCE)
        self.assertEqual(answer["error"]["code"], "forbidden")


# ---- what is kept ------------------------------------------------------------------------------------

class Kept(WithServer):
    def test_roles_topics_and_claims_are_there_after_a_kill(self):
        server = self.serve()
        tokens = {name: server.register(name) for name in ("root", "ann", "bob", "eve")}
        room = "free-private.k"
        # The first who comes owns it.
        status, *_ = server.ask("PUT", f"/api/v1/rooms/{room}/members/me", {}, tokens["ann"])
        self.assertEqual(status, 200)
        self.assertEqual(server.make(tokens["ann"], room, "bob", "member")["role"], "member")
        server.make(tokens["ann"], room, "eve", "banned", **{"for": "1h"})
        status, acked, _ = server.ask("PUT", f"/api/v1/rooms/{room}/topic", {"topic": "plans"},
                                      tokens["ann"])
        self.assertEqual((status, acked["offset"]), (200, 1))
        server.process.kill()
        server.process.wait(PATIENCE)
        server = self.serve()
        tokens = {name: server.sign_in(name) for name in tokens}
        status, info, _ = server.ask("GET", f"/api/v1/rooms/{room}", token=tokens["ann"])
        self.assertEqual((status, info["role"], info["topic"]), (200, "owner", "plans"))
        self.assertEqual({one["user"]["name"]: one["role"] for one in info["roles"]},
                         {"ann": "owner", "bob": "member", "eve": "banned"})
        self.assertEqual(server.say(tokens["bob"], room), 201)
        self.assertEqual(server.say(tokens["eve"], room), 403)
        self.assertEqual(server.say(tokens["root"], room), 403)
        status, problem, _ = server.ask("PUT", f"/api/v1/rooms/{room}/members/me", {},
                                        tokens["root"])
        self.assertEqual(status, 403)
        self.assertIn("only members may read this room", problem["detail"])
        # Not listed, and not told from one that is not there.
        listed = [one["room"] for one in server.ask("GET", "/api/v1/rooms")[1]["rooms"]]
        self.assertNotIn(room, listed)
        there = server.ask("GET", f"/api/v1/rooms/{room}/messages")
        elsewhere = server.ask("GET", "/api/v1/rooms/free-private.nowhere/messages")
        self.assertEqual((there[0], there[1]), (403, elsewhere[1]))
        status, problem, _ = server.ask("DELETE", f"/api/v1/rooms/{room}/roles/ann",
                                        token=tokens["ann"])
        self.assertEqual((status, problem["detail"]),
                         (409, "the last owner stays: make somebody else one first"))

    def test_a_locked_file_refuses_acts_and_what_is_known_holds(self):
        server = self.serve()
        root = server.register("root")
        server.register("bob")
        server.make(root, "members.f", "bob", "member")
        other = sqlite3.connect(f"{self.folder}/accounts.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        status, problem, headers = server.ask(
            "PUT", "/api/v1/rooms/members.f/roles/bob", {"role": "banned"}, root)
        self.assertEqual(status, 503, problem)
        self.assertIn("Retry-After", headers)
        self.assertEqual(server.wait_for("roles, topics and read marks can't be kept")["error"],
                         "database is locked")
        other.execute("COMMIT")
        other.close()
        bob = server.sign_in("bob")
        self.assertEqual(server.say(bob, "members.f"), 201)
        server.make(root, "members.f", "bob", "banned")
        self.assertEqual(server.say(bob, "members.f"), 403)

    def test_each_act_is_a_line_of_the_log_and_a_count(self):
        server = self.serve(admin="127.0.0.1:0")
        root, bob = server.register("root"), server.register("bob")
        server.make(root, "public.a", "bob", "muted", **{"for": "10m"}, reason="loud")
        line = server.wait_for("audit")
        self.assertEqual(
            (line["act"], line["outcome"], line["room"], line["by_name"], line["user_name"],
             line["role"], line["reason"]),
            ("role", "done", "public.a", "root", "bob", "muted", "loud"))
        self.assertRegex(line["until"], r"^20\d\d-")
        server.make(bob, "public.a", "root", "none", status=403)
        line = server.wait_for("audit")
        self.assertEqual((line["outcome"], line["by_name"], line["cause"]),
                         ("refused", "bob", "you are muted here until " +
                          line["cause"].rsplit(" ", 1)[-1]) if "until" in line["cause"]
                         else ("refused", "bob", "only moderators of this room may do that"))
        with urllib.request.urlopen(f"http://{server.admin}/metrics", timeout=PATIENCE) as answer:
            metrics = answer.read().decode()
        self.assertIn('parley_acts_total{act="role",outcome="done"} 1', metrics)
        self.assertIn('parley_acts_total{act="role",outcome="refused"} 1', metrics)
        self.assertIn("parley_room_records_up 1", metrics)


# ---- bad input -----------------------------------------------------------------------------------------

class Malformed(WithServer):
    def test_each_says_what_is_wrong_and_what_was_expected(self):
        server = self.serve()
        root = server.register("root")
        rows = [
            ("PUT", "/roles/bob", {"role": "king"}, 400, "owner, moderator, member, muted, banned"),
            ("PUT", "/roles/bob", {}, 400, '"role" is missing'),
            ("PUT", "/roles/bob", {"role": "muted", "for": "soon"}, 400, "a duration like"),
            ("PUT", "/roles/bob", {"role": "muted", "for": "0s"}, 400, "a duration like"),
            ("PUT", "/roles/bob", {"role": "muted", "for": "99999d"}, 400, "a duration like"),
            ("PUT", "/roles/bob", {"role": "none", "for": "1h"}, 400, "leave it out"),
            ("PUT", "/roles/bob", {"role": "muted", "reason": "x" * 501}, 400, "500 bytes"),
            ("PUT", "/roles/nobody", {"role": "muted"}, 404, "nobody is known by that"),
            ("PUT", "/roles/", {"role": "muted"}, 400, "user"),
            ("PUT", "/roles/%ff", {"role": "muted"}, 400, "percent-encoded UTF-8"),
            ("POST", "/kick", {}, 400, "user"),
            ("PUT", "/topic", {}, 400, "topic"),
            ("PUT", "/topic", {"topic": "x" * 501}, 400, "at most 500 characters, got 501"),
            ("PUT", "/topic", {"topic": 7}, 400, "topic"),
            ("POST", "/messages", {"text": "x", "event": "topic"}, 400, "which has a command of its own"),
            ("POST", "/messages", {"text": "x", "event": "edit"}, 400, "which has a command of its own"),
            ("POST", "/roles/bob", {"role": "muted"}, 405, ""),
        ]
        for method, path, body, status, said in rows:
            found, problem, _ = server.ask(method, f"/api/v1/rooms/public.m{path}", body, root)
            self.assertEqual(found, status, (method, path, body, problem))
            self.assertIn(said, json.dumps(problem).replace('\\"', '"'), (method, path, body))
        self.assertEqual(server.ask("PUT", "/api/v1/rooms/public.m/topic",
                                    {"topic": "ä" * 500}, root)[0], 200)


if __name__ == "__main__":
    program_test.PARLEYD = sys.argv.pop(1)
    unittest.main(warnings="ignore")
