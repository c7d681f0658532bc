"""Accounts and tokens on every door of parleyd: who is let in, as whom, and who is not.

usage: accounts_test.py PARLEYD
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock
import urllib.request

import socketio
import websockets

import program_test

PATIENCE = program_test.PATIENCE
SECRET = "a secret of more than 32 bytes, and so it is one"
PASSWORD = "correct horse"
# Hashing that takes no time: what is tested here is who is let in.
CHEAP = {"PARLEY_ACCOUNTS__HASH_MEMORY": "8KiB", "PARLEY_ACCOUNTS__HASH_PASSES": "1"}


# ---- tokens as another system makes them ----------------------------------------------------------

def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(head, claims):
    return b64(json.dumps(head).encode()) + "." + b64(json.dumps(claims).encode())


def claims(**more):
    return {"sub": "42", "name": "carl", "exp": int(time.time()) + 600, **more}


def hs256(secret, body, **head):
    text = unsigned({"alg": "HS256", "typ": "JWT", **head}, body)
    return text + "." + b64(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


class RsaKey:
    """A key pair in a folder, by openssl."""

    def __init__(self, folder, name):
        self.private = str(pathlib.Path(folder) / f"{name}.key")
        self.public = str(pathlib.Path(folder) / f"{name}.pem")
        for arguments in (["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                           "-out", self.private],
                          ["pkey", "-in", self.private, "-pubout", "-out", self.public]):
            subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def sign(self, body, **head):
        text = unsigned({"alg": "RS256", "typ": "JWT", **head}, body)
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.private],
                                   input=text.encode(), check=True, capture_output=True).stdout
        return text + "." + b64(signature)

    def jwk(self, kid):
        modulus = subprocess.run(["openssl", "rsa", "-pubin", "-in", self.public, "-noout",
                                  "-modulus"], check=True, capture_output=True, text=True).stdout
        return {"kty": "RSA", "use": "sig", "kid": kid, "e": "AQAB",
                "n": b64(bytes.fromhex(modulus.strip().split("=")[1]))}


# ---- a server, and its doors ------------------------------------------------------------------------

class Server(program_test.Running):
    def __init__(self, folder, **settings):
        environment = {**CHEAP, "PARLEY_ACCOUNTS__STORE": f"sqlite:{folder}/accounts.db",
                       **{f"PARLEY_{name.upper()}": value for name, value in settings.items()}}
        super().__init__("--shards", "2", environment=environment)

    def ask(self, method, path, body=None, token=None, headers=None):
        """(status, answer, headers)."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **(headers or {}),
                     **({"Authorization": f"Bearer {token}"} if token else {})})
        try:
            answer = urllib.request.urlopen(request, timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode()
            is_json = "json" in answer.headers.get("Content-Type", "")
            return answer.status, json.loads(text) if is_json else text, answer.headers

    def curl(self, path, *arguments):
        result = subprocess.run(["curl", "-sS", f"http://127.0.0.1:{self.port}{path}", *arguments],
                                capture_output=True, text=True, check=True, timeout=PATIENCE)
        return json.loads(result.stdout)

    def register(self, name):
        status, answer, _ = self.ask("POST", "/api/v1/accounts",
                                     {"name": name, "password": PASSWORD})
        assert status == 201, answer
        return self.sign_in(name)

    def sign_in(self, name, password=PASSWORD):
        status, answer, _ = self.ask("POST", "/api/v1/session",
                                     {"name": name, "password": password})
        assert status == 200, answer
        return answer["token"]

    def say(self, token, room="lobby"):
        return self.ask("POST", f"/api/v1/rooms/{room}/messages", {"text": "hi"}, token)[0]

    def websocket(self, path="/ws", **headers):
        return websockets.connect(f"ws://127.0.0.1:{self.port}{path}", extra_headers=headers)


async def reply(connection, **frame):
    """The answer to a frame; what else comes is passed over."""
    await connection.send(json.dumps({"id": 7, **frame}))
    while True:
        received = json.loads(await asyncio.wait_for(connection.recv(), PATIENCE))
        if received.get("id") == 7:
            return received


async def closed(connection):
    """(what was said before, the close code)."""
    said = []
    try:
        while True:
            said.append(json.loads(await asyncio.wait_for(connection.recv(), PATIENCE)))
    except websockets.ConnectionClosed as end:
        return said, end.code


class RawSocketIo:
    """A Socket.IO connection by polling, packet by packet, as stock clients that can recover have it."""

    def __init__(self, server, connect, headers=None):
        self.server, self.headers = server, headers or {}
        self.packets, self.path = [], "/socket.io/?EIO=4&transport=polling"
        self.path += "&sid=" + json.loads(self.take(self.path)[1:])["sid"]
        self.post("40" + json.dumps(connect))
        self.answer = self.wait("40", "44")

    def take(self, path):
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.port}{path}",
                                         headers=self.headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read().decode()

    def post(self, packet):
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.port}{self.path}",
                                         data=packet.encode(), headers=self.headers,
                                         method="POST")
        urllib.request.urlopen(request, timeout=PATIENCE).close()

    def wait(self, *kinds):
        """The first packet of one of these kinds, decoded; all that comes is kept."""
        while True:
            for packet in self.packets:
                if packet.startswith(kinds):
                    return json.loads(packet[2:])
            for packet in self.take(self.path).split("\x1e"):
                self.packets.append(packet)
                if packet == "2":
                    self.post("3")


class WithServer(unittest.TestCase):
    def serve(self, **settings):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        return self.serve_in(folder.name, **settings)

    def serve_in(self, folder, **settings):
        server = Server(folder, **settings)
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def secret(self):
        file = tempfile.NamedTemporaryFile("w")
        self.addCleanup(file.close)
        file.write(SECRET)
        file.flush()
        return file.name


# ---- who is let in ---------------------------------------------------------------------------------

class Doors(WithServer):
    def test_who_signs_in_is_themselves_on_every_door(self):
        server = self.serve()
        server.register("Ann")
        token = server.curl("/api/v1/session", "-d", "name=ann", "-d",
                            f"password={PASSWORD}")["token"]
        me = server.ask("GET", "/api/v1/session", token=token)[1]["user"]
        self.assertEqual(me["name"], "Ann")
        self.assertEqual(server.say(token), 201)

        async def by_websocket():
            async with server.websocket() as first:
                welcome = await reply(first, type="hello", token=token)
                self.assertEqual(welcome["user"], me)
                await reply(first, type="join", room="lobby")
                ack = await reply(first, type="send", room="lobby", text="by websocket")
                self.assertEqual(ack["type"], "ack")
            for headers in ({"Authorization": f"Bearer {token}"},
                            {"Cookie": f"parley_session={token}",
                             "Origin": f"http://127.0.0.1:{server.port}"}):
                async with server.websocket("/ws?room=lobby", **headers) as second:
                    welcome = json.loads(await second.recv())
                    self.assertEqual(welcome["user"], me)
        asyncio.run(by_websocket())

        client = socketio.Client()
        told = threading.Event()
        client.on("user_joined", lambda *_: None)
        client.connect(f"http://127.0.0.1:{server.port}", auth={"token": token, "username": "x"},
                       wait_timeout=PATIENCE)
        client.emit("message", "by socket.io", callback=lambda *_: told.set())
        self.assertTrue(told.wait(PATIENCE))
        client.disconnect()
        client = socketio.Client()
        client.connect(f"http://127.0.0.1:{server.port}",
                       headers={"Authorization": f"Bearer {token}"}, transports=["polling"],
                       wait_timeout=PATIENCE)
        client.call("message", "by polling", timeout=PATIENCE)
        client.disconnect()

        messages = server.ask("GET", "/api/v1/rooms/lobby/messages?since=x:0&wait=25s",
                              token=token)[1]["messages"]
        self.assertEqual([m["text"] for m in messages],
                         ["hi", "by websocket", "by socket.io", "by polling"])
        for message in messages:
            self.assertEqual(message["from"], me)

        stream = subprocess.Popen(
            ["curl", "-sN", f"http://127.0.0.1:{server.port}/api/v1/rooms/lobby/events?history=1",
             "-H", f"Authorization: Bearer {token}"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(stream.stdout.close)
        self.addCleanup(stream.kill)
        self.assertTrue(any("by polling" in line for line in stream.stdout))
        members = server.ask("GET", "/api/v1/rooms/lobby/members", token=token)[1]["members"]
        self.assertEqual(members, [me], "who reads by a token is there")

    def test_nobody_else_takes_a_registered_name(self):
        server = self.serve()
        server.register("Ann")
        body = {"text": "hi", "name": "ANN"}
        self.assertEqual(server.ask("POST", "/api/v1/rooms/lobby/messages", body)[0], 403)
        self.assertEqual(server.ask("GET", "/api/v1/rooms/lobby/events?name=ann")[0], 403)

        async def by_websocket():
            async with server.websocket("/ws?name=ann") as connection:
                welcome = json.loads(await connection.recv())
                self.assertTrue(welcome["user"]["name"].startswith("guest-"))
                self.assertEqual(json.loads(await connection.recv())["code"], "forbidden")
                again = await reply(connection, type="hello", name="Ann")
                self.assertEqual(again["code"], "forbidden")
        asyncio.run(by_websocket())
        with self.assertRaises(socketio.exceptions.ConnectionError):
            socketio.Client().connect(f"http://127.0.0.1:{server.port}", auth={"username": "ann"})

    def test_a_guest_loses_a_name_that_is_registered(self):
        server = self.serve()

        async def by_websocket():
            async with server.websocket("/ws?name=ann&room=lobby") as guest:
                self.assertEqual(json.loads(await guest.recv())["user"]["name"], "ann")
                server.register("Ann")
                self.assertEqual((await reply(guest, type="send", room="lobby", text="I am Ann"))
                                 ["code"], "forbidden")
                self.assertEqual((await reply(guest, type="send", room="lobby", text="I am not"))
                                 ["type"], "ack")
        asyncio.run(by_websocket())
        (message,) = server.ask("GET", "/api/v1/rooms/lobby/messages")[1]["messages"]
        self.assertTrue(message["from"]["name"].startswith("guest-"), message)
        for name in ("\u0410nn", "\uff21nn", "An\u200bn", "a\u00adnn"):  # that all read as hers
            body = {"text": "hi", "name": name}
            self.assertEqual(server.ask("POST", "/api/v1/rooms/lobby/messages", body)[0], 403, name)
            body = {"name": name, "password": PASSWORD}
            self.assertEqual(server.ask("POST", "/api/v1/accounts", body)[0], 409, name)

    def test_a_recovered_session_takes_the_token_of_its_user_through_a_restart(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        settings = {"history__store": f"sqlite:{folder.name}/history.db",
                    "drain__deadline": "2s"}
        server = self.serve_in(folder.name, **settings)
        token = server.register("Ann")
        first = RawSocketIo(server, {"token": token})
        pid = first.answer["pid"]
        first.wait("42")
        server.signal(15)
        self.assertEqual(server.end(), 0)
        server = self.serve_in(folder.name, **settings)
        me = server.ask("GET", "/api/v1/session", token=token)[1]["user"]

        stranger = RawSocketIo(server, {"pid": pid})
        self.assertNotEqual(stranger.answer["sid"], first.answer["sid"], "a session of their own")
        stranger.post('42["message","I am Ann"]')
        owner = RawSocketIo(server, {"pid": pid, "token": token})
        self.assertEqual(owner.answer["sid"], first.answer["sid"], "the same as before")
        owner.post('42["message","by Ann"]')
        messages = server.ask("GET", "/api/v1/rooms/lobby/messages", token=token)[1]["messages"]
        by = {message["text"]: message["from"] for message in messages}
        self.assertNotEqual(by["I am Ann"]["id"], me["id"])
        self.assertNotEqual(by["I am Ann"]["name"], me["name"])
        self.assertEqual(by["by Ann"], me)

    def test_a_cookie_that_is_over_makes_a_guest_over_socketio(self):
        server = self.serve()
        server.register("Ann")
        stale = {"Cookie": "parley_session=ps_old", "Origin": f"http://127.0.0.1:{server.port}"}
        self.assertIn("sid", RawSocketIo(server, {"username": "bob"}, stale).answer)
        self.assertEqual(RawSocketIo(server, {"username": "ann"}, stale).answer["data"]["code"],
                         "forbidden")
        self.assertEqual(RawSocketIo(server, {"token": "ps_old"}, stale).answer["data"]["code"],
                         "unauthorized", "what is said is meant")

    def test_a_key_removes_a_file_only_where_it_may_send(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        server = self.serve(files__folder=folder.name)
        token = server.register("Ann")

        def key(**good_for):
            return server.ask("POST", "/api/v1/account/keys", {"label": "bot", **good_for},
                              token)[1]["token"]

        def upload(room):
            status, answer, _ = server.ask("POST", f"/api/v1/rooms/{room}/files?filename=a.txt",
                                           "hello", token, {"Content-Type": "text/plain"})
            self.assertEqual(status, 201, answer)
            return answer["file"]["id"]

        def remove(file, by):
            return server.ask("DELETE", f"/api/v1/files/{file}", token=by)[0]
        file = upload("lobby")
        self.assertEqual(remove(file, key(scopes=["read"])), 403)
        self.assertEqual(remove(file, key(rooms=["team.*"])), 403)
        self.assertEqual(remove(file, key(rooms=["lobby"])), 204)
        self.assertEqual(remove(file, key(rooms=["lobby"])), 404)
        self.assertEqual(remove(upload("lobby"), token), 204)

    def test_two_servers_do_not_have_one_file(self):
        server = self.serve()
        refused = subprocess.run(
            [program_test.PARLEYD, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"],
            env={**CHEAP, "PARLEY_ACCOUNTS__STORE": f"sqlite:{self.folder}/accounts.db"},
            capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("accounts.store: ", refused.stderr)
        self.assertIn("another process is using it", refused.stderr)
        self.assertEqual(server.ask("GET", "/healthz")[0], 200)

    def test_an_account_outlives_the_server(self):
        server = self.serve()
        token = server.register("Ann")
        server.signal(15)
        self.assertEqual(server.end(), 0)
        server = self.serve_in(self.folder)
        self.assertEqual(server.say(token), 201)
        self.assertEqual(server.ask("POST", "/api/v1/accounts",
                                    {"name": "ann", "password": PASSWORD})[0], 409)

    def test_without_anonymous_use_nobody_gets_in_but_by_a_token(self):
        server = self.serve(accounts__anonymous="false")
        token = server.register("Ann")
        for path in ("/api/v1/rooms", "/api/v1/rooms/lobby/messages", "/api/v1/rooms/lobby/events",
                     "/api/v1/rooms/lobby/messages?wait=1s", "/api/chat/users"):
            status, _, headers = server.ask("GET", path)
            self.assertEqual(status, 401, path)
            self.assertIn("Bearer", headers["WWW-Authenticate"])
        self.assertEqual(server.say(None), 401)
        self.assertEqual(server.say(token), 201)

        async def by_websocket():
            async with server.websocket("/ws?name=bob") as connection:
                refused = await reply(connection, type="join", room="lobby")
                self.assertEqual(refused["code"], "unauthorized")
                await reply(connection, type="hello", token=token)
                self.assertEqual((await reply(connection, type="join", room="lobby"))["type"],
                                 "joined")
        asyncio.run(by_websocket())
        with self.assertRaises(socketio.exceptions.ConnectionError):
            socketio.Client().connect(f"http://127.0.0.1:{server.port}", auth={"username": "bob"})


# ---- who is not ------------------------------------------------------------------------------------

class Refusals(WithServer):
    def assert_refused_everywhere(self, server, token, what):
        self.assertEqual(server.say(token), 401, what)
        for path in ("/api/v1/session", "/api/v1/rooms/lobby/events",
                     "/api/v1/rooms/lobby/messages?wait=1s", "/api/v1/rooms"):
            self.assertEqual(server.ask("GET", path, token=token)[0], 401, f"{what}: {path}")

        async def by_websocket():
            async with server.websocket("/ws?room=lobby",
                                        Authorization=f"Bearer {token}") as connection:
                said, code = await closed(connection)
                self.assertEqual(code, 4001, what)
                self.assertEqual(said[-1]["code"], "unauthorized", what)
            async with server.websocket() as connection:
                self.assertEqual((await reply(connection, type="hello", token=token))["code"],
                                 "unauthorized", what)
                self.assertEqual((await reply(connection, type="ping"))["type"], "pong")
        asyncio.run(by_websocket())
        with self.assertRaises(socketio.exceptions.ConnectionError, msg=what):
            socketio.Client().connect(f"http://127.0.0.1:{server.port}", auth={"token": token})

    def test_forged_and_expired_tokens_are_refused_on_every_door(self):
        with tempfile.TemporaryDirectory() as folder:
            key, other = RsaKey(folder, "key"), RsaKey(folder, "other")
            server = self.serve(jwt__secret_file=self.secret(), jwt__public_keys=key.public,
                                jwt__leeway="0s")
            self.assertEqual(server.say(hs256(SECRET, claims())), 201)
            self.assertEqual(server.say(key.sign(claims())), 201)
            good = hs256(SECRET, claims())
            own = server.register("Ann")
            for what, token in {
                "alg none": unsigned({"alg": "none"}, claims()) + ".",
                "key confusion": hs256(pathlib.Path(key.public).read_text(), claims()),
                "another secret": hs256(SECRET + "x", claims()),
                "another key": other.sign(claims()),
                "other claims": unsigned({"alg": "HS256", "typ": "JWT"}, claims(sub="1")) + "." +
                                good.rsplit(".", 1)[1],
                "expired": hs256(SECRET, claims(exp=int(time.time()) - 1)),
                "not yet": hs256(SECRET, claims(nbf=int(time.time()) + 600)),
                "no end": hs256(SECRET, {"sub": "42"}),
                "a session's, altered": own[:-1] + ("A" if own[-1] != "A" else "B"),
                "nothing": "x",
            }.items():
                with self.subTest(what):
                    self.assert_refused_everywhere(server, token, what)

    def test_rooms_of_a_token_are_the_only_ones(self):
        server = self.serve(jwt__secret_file=self.secret())
        token = hs256(SECRET, claims(rooms=["team.*"]))
        self.assertEqual(server.say(token, "team.a"), 201)
        self.assertEqual(server.say(token, "lobby"), 403)
        self.assertEqual(server.ask("GET", "/api/v1/rooms", token=token)[0], 403)
        self.assertEqual(server.ask("GET", "/api/v1/rooms/lobby/events", token=token)[0], 403)

        async def by_websocket():
            async with server.websocket(Authorization=f"Bearer {token}") as connection:
                self.assertEqual((await reply(connection, type="join", room="lobby"))["code"],
                                 "forbidden")
                self.assertEqual((await reply(connection, type="join", room="team.b"))["type"],
                                 "joined")
        asyncio.run(by_websocket())

    def test_guessing_is_slowed(self):
        server = self.serve()

        def sign_in(name, password):
            return server.ask("POST", "/api/v1/session", {"name": name, "password": password})
        for attempt in range(10):
            name = f"Ann{attempt}"
            server.register(name)
            began = time.monotonic()
            guesses = [sign_in(name.lower(), "guess guess") for _ in range(8)]
            status, answer, _ = sign_in(name, PASSWORD)
            if time.monotonic() - began < 1:  # else the first wait was over in between
                break
        else:
            self.fail("nine requests never fit into a second")
        self.assertEqual([one[0] for one in guesses], [401] * 6 + [429] * 2)
        self.assertGreaterEqual(int(guesses[-1][2]["Retry-After"]), 1)
        self.assertEqual((status, answer["code"]), (429, "rate_limited"), "a right one waits too")
        self.assertGreater(answer["retry_after_ms"], 0)


# ---- how it ends -----------------------------------------------------------------------------------

class Ends(WithServer):
    def test_signing_out_ends_what_acts_by_the_token(self):
        server = self.serve()
        token = server.register("Ann")
        other = server.sign_in("Ann")
        client = socketio.Client(reconnection=False)
        gone = threading.Event()
        client.on("disconnect", gone.set)
        client.connect(f"http://127.0.0.1:{server.port}", auth={"token": token},
                       transports=["websocket"], wait_timeout=PATIENCE)
        stream = subprocess.Popen(
            ["curl", "-sN", f"http://127.0.0.1:{server.port}/api/v1/rooms/lobby/events",
             "-H", f"Authorization: Bearer {token}"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(stream.stdout.close)
        self.addCleanup(stream.kill)
        stream.stdout.readline()

        async def by_websocket():
            async with server.websocket(Authorization=f"Bearer {token}") as ending, \
                    server.websocket(Authorization=f"Bearer {other}") as staying:
                await ending.recv()
                await staying.recv()
                loop = asyncio.get_running_loop()
                status, _, _ = await loop.run_in_executor(
                    None, lambda: server.ask("DELETE", "/api/v1/session", token=token))
                self.assertEqual(status, 204)
                self.assertEqual((await closed(ending))[1], 4001)
                self.assertEqual((await reply(staying, type="ping"))["type"], "pong")
        asyncio.run(by_websocket())
        self.assertTrue(gone.wait(PATIENCE))
        self.assertEqual(stream.wait(PATIENCE), 0)
        self.assertEqual(server.say(token), 401)
        self.assertEqual(server.say(other), 201)

    def test_a_live_session_ends_with_its_token_unless_it_is_renewed(self):
        server = self.serve(jwt__secret_file=self.secret(), jwt__leeway="0s")

        async def by_websocket():
            soon = int(time.time()) + 6
            async with server.websocket() as ending, server.websocket() as renewed:
                for connection in (ending, renewed):
                    await reply(connection, type="hello",
                                token=hs256(SECRET, claims(exp=soon)))
                    await reply(connection, type="join", room="lobby")
                await reply(renewed, type="hello", token=hs256(SECRET, claims()))
                self.assertEqual((await closed(ending))[1], 4001)
                self.assertGreaterEqual(time.time(), soon - 1)
                ack = await reply(renewed, type="send", room="lobby", text="still here")
                self.assertEqual(ack["type"], "ack")
        asyncio.run(by_websocket())

    def test_a_changed_password_ends_the_other_sessions(self):
        server = self.serve()
        token = server.register("Ann")
        other = server.sign_in("Ann")
        body = {"password": PASSWORD, "new_password": "battery staple"}
        self.assertEqual(server.ask("PUT", "/api/v1/account/password", body, token)[0], 204)
        self.assertEqual(server.say(token), 201)
        self.assertEqual(server.say(other), 401)
        server.sign_in("Ann", "battery staple")


# ---- browsers --------------------------------------------------------------------------------------

class Cookies(WithServer):
    def test_a_cookie_counts_for_pages_of_this_server_alone(self):
        server = self.serve(http__allowed_origins="*,https://friend.example")
        own = f"http://127.0.0.1:{server.port}"
        server.register("Ann")
        _, _, headers = server.ask("POST", "/api/v1/session", {"name": "ann", "password": PASSWORD},
                                   headers={"Origin": own})
        cookie = headers["Set-Cookie"]
        for part in ("parley_session=ps_", "HttpOnly", "SameSite=Lax", "Path=/"):
            self.assertIn(part, cookie)
        cookie = cookie.split(";")[0]

        def say(**headers):
            return server.ask("POST", "/api/v1/rooms/lobby/messages", {"text": "hi"},
                              headers={"Cookie": cookie, **headers})[0]
        self.assertEqual(say(Origin=own), 201)
        self.assertEqual(say(Origin="https://friend.example"), 201)
        self.assertEqual(say(**{"Sec-Fetch-Site": "same-origin"}), 201)
        self.assertEqual(say(Origin="https://evil.example"), 403)
        self.assertEqual(say(Origin="null"), 403)
        self.assertEqual(say(**{"Sec-Fetch-Site": "cross-site"}), 403)
        self.assertEqual(say(), 403)
        self.assertIsNone(server.ask("POST", "/api/v1/session",
                                     {"name": "ann", "password": PASSWORD},
                                     headers={"Origin": "https://evil.example"})[2]["Set-Cookie"])

        async def by_websocket():
            async with server.websocket(Cookie=cookie, Origin="https://evil.example") as stranger:
                welcome = json.loads(await stranger.recv())
                self.assertTrue(welcome["user"]["name"].startswith("guest-"), welcome)
        asyncio.run(by_websocket())
        status, _, headers = server.ask("DELETE", "/api/v1/session",
                                        headers={"Cookie": cookie, "Origin": own})
        self.assertEqual(status, 204)
        self.assertIn("Max-Age=0", headers["Set-Cookie"])
        status, _, headers = server.ask("GET", "/api/v1/session", headers={"Cookie": cookie})
        self.assertEqual(status, 401)
        self.assertIn("Max-Age=0", headers["Set-Cookie"], "a cookie that is none is taken away")

    def test_behind_a_proxy_that_speaks_tls_it_is_for_tls(self):
        server = self.serve(http__secure_cookies="true")
        server.register("Ann")
        _, _, headers = server.ask("POST", "/api/v1/session", {"name": "ann", "password": PASSWORD})
        self.assertTrue(headers["Set-Cookie"].startswith("__Host-parley_session=ps_"))
        self.assertIn("; Secure", headers["Set-Cookie"])


# ---- key sets --------------------------------------------------------------------------------------

def certificate(folder, name):
    """(certificate, key), files of one that vouches for itself and is good for 127.0.0.1."""
    files = tuple(str(pathlib.Path(folder) / f"{name}.{kind}") for kind in ("crt", "key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-out", files[0],
                    "-keyout", files[1]], check=True, capture_output=True)
    return files


class KeySet:
    """A key set over HTTP, with a certificate HTTPS, that a test changes."""

    def __init__(self, keys, tls=None):
        self.keys = keys
        self.status = 200
        self.asked = threading.Event()
        self.closing = threading.Event()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                owner.asked.set()
                if self.path == "/hangs":
                    owner.closing.wait(PATIENCE)
                body = json.dumps({"keys": owner.keys}).encode()
                with contextlib.suppress(ConnectionError):  # who asked has had enough
                    self.send_response(owner.status if owner.keys else 500)
                    self.send_header("Location", "/elsewhere")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.base = f"http{'s' if tls else ''}://127.0.0.1:{self.server.server_port}"
        self.url = self.base + "/keys"

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


class KeySets(WithServer):
    def test_a_key_set_is_read_again_and_kept_while_it_is_away(self):
        with tempfile.TemporaryDirectory() as folder:
            first, second = RsaKey(folder, "first"), RsaKey(folder, "second")
            keys = self.keep(KeySet([first.jwk("1")]))
            server = self.serve(jwt__jwks=keys.url, jwt__jwks_refresh="1s")
            self.wait_until(lambda: server.say(first.sign(claims(), kid="1")) == 201)
            self.assertEqual(server.say(first.sign(claims(), kid="2")), 401, "another key's name")
            keys.keys = [first.jwk("1"), second.jwk("2")]
            self.wait_until(lambda: server.say(second.sign(claims(), kid="2")) == 201)
            keys.keys = []
            server.wait_for("key set not read, the keys of before stay")
            self.assertEqual(server.say(first.sign(claims(jti="new"), kid="1")), 201)
            keys.keys = [second.jwk("2")]
            self.wait_until(lambda: server.say(first.sign(claims(jti=str(time.time())), kid="1"))
                            in (401, 503))

    def test_it_is_believed_over_tls_from_whom_the_file_names_and_nobody_else(self):
        with tempfile.TemporaryDirectory() as folder:
            signer = RsaKey(folder, "signer")
            ours, other = certificate(folder, "ours"), certificate(folder, "other")
            keys = self.keep(KeySet([signer.jwk("1")], ours))
            server = self.serve(jwt__jwks=keys.url, jwt__jwks_ca=ours[0])
            self.wait_until(lambda: server.say(signer.sign(claims(), kid="1")) == 201)
            for ca in ({"jwt__jwks_ca": other[0]}, {}):  # {}: whom this machine trusts
                server = self.serve(jwt__jwks=keys.url, **ca)
                self.assertRegex(self.problem_of(server), "(?i)certificate")
                self.assertIn(server.say(signer.sign(claims(), kid="1")), (401, 503))
            named = keys.url.replace("127.0.0.1", "localhost")
            server = self.serve(jwt__jwks=named, jwt__jwks_ca=ours[0])
            self.assertRegex(self.problem_of(server), "(?i)name.*localhost")

    def test_what_is_no_key_set_is_refused_with_the_reason(self):
        def problem_of(keys):
            return self.problem_of(self.serve(jwt__jwks=keys.url))
        keys = self.keep(KeySet([{"kty": "RSA"}]))
        keys.status = 302
        self.assertEqual(problem_of(keys), "answered 302 (expected 200)")
        keys.status = 200
        keys.keys = ["x" * (1 << 20)]
        self.assertEqual(problem_of(keys), "larger than a key set may be")
        gone = KeySet([])
        gone.close()
        self.assertRegex(problem_of(gone), "(?i)connect")

    def test_on_this_machine_no_proxy_is_asked(self):
        keys = self.keep(KeySet([]))
        proxy = "http://127.0.0.1:1"
        with unittest.mock.patch.dict(os.environ, {"http_proxy": proxy, "no_proxy": ""}):
            self.serve(jwt__jwks=keys.url)
        self.assertTrue(keys.asked.wait(PATIENCE))

    def test_no_stop_waits_for_one(self):
        keys = self.keep(KeySet([]))
        server = self.serve(jwt__jwks=keys.base + "/hangs")
        self.assertTrue(keys.asked.wait(PATIENCE))
        begun = time.monotonic()
        server.signal(signal.SIGTERM)
        self.assertEqual(server.end(), 0)
        self.assertLess(time.monotonic() - begun, 8, "it would be ten seconds")

    def problem_of(self, server):
        """Why it could not read its key set."""
        message = "key set not read, the keys of before stay"
        for entry in server.log:
            if entry["msg"] == message:
                return entry["cause"]
        return server.wait_for(message)["cause"]

    def keep(self, keys):
        self.addCleanup(keys.close)
        return keys

    def wait_until(self, holds):
        deadline = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), deadline)


if __name__ == "__main__":
    program_test.PARLEYD = sys.argv.pop(1)
    unittest.main(warnings="ignore")
