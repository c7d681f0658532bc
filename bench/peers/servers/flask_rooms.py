"""Rooms on Debian's Flask-SocketIO with eventlet, for loadtest/targets/socketio.txt.

usage: python3 flask_rooms.py PORT [CERT KEY]
"""

import sys

import eventlet

eventlet.monkey_patch()

import flask  # noqa: E402: after the patch
import flask_socketio  # noqa: E402

CONNECTIONS_MAX = 30_000  # eventlet's own default would be 1,024 at once

io = flask_socketio.SocketIO(async_mode="eventlet")
app = flask.Flask(__name__)
io.init_app(app)


@io.on("join")
def join(room):
    flask_socketio.join_room(room)
    flask_socketio.emit("joined", room)


@io.on("msg")
def relay(room, text):
    flask_socketio.emit("msg", text, to=room)


def main():
    listener = eventlet.listen(("127.0.0.1", int(sys.argv[1])), backlog=4096)
    if len(sys.argv) > 2:
        listener = eventlet.wrap_ssl(
            listener, certfile=sys.argv[2], keyfile=sys.argv[3], server_side=True
        )
    eventlet.wsgi.server(listener, app, log_output=False, max_size=CONNECTIONS_MAX)


main()
