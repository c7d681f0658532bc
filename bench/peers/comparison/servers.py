"""The servers: how each is started, spoken to and asked for its version."""

import argparse
import json
import os
import pathlib
import re
import subprocess
from dataclasses import dataclass
from typing import Callable, Optional

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
TARGETS = ROOT / "loadtest" / "targets"
SCRIPTS = HERE / "servers"


@dataclass(frozen=True)
class Place:
    """Where things are on this machine."""

    parleyd: pathlib.Path
    parley_load: pathlib.Path
    modules: pathlib.Path  # npm's
    scratch: pathlib.Path  # certificates, filled-in configurations, logs
    processors: int = 1  # of a server


@dataclass(frozen=True)
class Start:
    """What a server is started with."""

    place: Place
    port: int
    folder: pathlib.Path  # its own, empty
    certificate: Optional[tuple] = None  # (chain, key): over TLS


@dataclass(frozen=True)
class Server:
    """A server of the comparison. `target` is a file, or nothing for Parley's own protocol."""

    name: str
    title: str
    what: str
    command: Callable[[Start], list]
    version: Callable[[Place], str]
    target: Optional[pathlib.Path] = None
    transport: str = "websocket"
    path: str = "/"
    secure: bool = True  # it can do TLS as it is set up here


# Debian keeps nginx and mosquitto where only root looks.
SEARCH_PATH = ":".join([os.environ.get("PATH", "/usr/bin:/bin"), "/usr/local/sbin:/usr/sbin:/sbin"])


def output_of(*command) -> str:
    """What a program prints, both streams; empty where it is missing."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PATH": SEARCH_PATH},
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _number(text: str) -> str:
    found = re.search(r"\d+(\.\d+)+", text)
    return found.group(0) if found else "unknown"


def _package(name: str) -> str:
    return output_of("dpkg-query", "-W", "-f=${Version}", name).split("\n")[0] or "not installed"


def _npm(place: Place, name: str) -> str:
    try:
        text = (place.modules / "node_modules" / name / "package.json").read_text()
    except OSError:
        return "not installed"
    return json.loads(text)["version"]


def _node(place: Place, name: str) -> str:
    return f"{name} {_npm(place, name)} on Node {_number(output_of('node', '--version'))}"


def _script(program: str, script: str) -> Callable[[Start], list]:
    def command(start: Start) -> list:
        return [program, SCRIPTS / script, start.port, *(start.certificate or ())]

    return command


def _bun_program(place: Place) -> pathlib.Path:
    return place.modules / "node_modules" / "@oven" / "bun-linux-x64" / "bin" / "bun"


def _bun(start: Start) -> list:
    return _script(str(_bun_program(start.place)), "bun.mjs")(start)


def _parleyd(start: Start) -> list:
    common = [
        start.place.parleyd,
        *("--shards", start.place.processors, "--no-limits", "--log-level", "error"),
        *("--admin-listen", "off"),
    ]
    listen = f"127.0.0.1:{start.port}"
    if start.certificate is None:
        return [*common, "--listen", listen]
    chain, key = start.certificate
    secure = ["--tls-listen", listen, "--tls-cert", chain, "--tls-key", key]
    return [*common, "--listen", "127.0.0.1:0", *secure]


def filled(template: str, values: dict) -> str:
    """The template with each {name} of `values` replaced; every other brace stays."""
    for name, value in values.items():
        template = template.replace("{" + name + "}", str(value))
    return template


def _configured(start: Start, name: str, **more) -> pathlib.Path:
    values = {"port": start.port, "folder": start.folder, "workers": start.place.processors, **more}
    path = start.folder / name
    path.write_text(filled((SCRIPTS / name).read_text(), values))
    return path


def _nchan(start: Start) -> list:
    certificate = ""
    if start.certificate is not None:
        chain, key = start.certificate
        certificate = f"ssl_certificate {chain};\n        ssl_certificate_key {key};"
    tls = "ssl" if start.certificate else ""
    return ["nginx", "-c", _configured(start, "nchan.conf", tls=tls, certificate=certificate)]


def _nats(start: Start) -> list:
    tls = "no_tls: true"
    if start.certificate is not None:
        chain, key = start.certificate
        tls = f'tls {{ cert_file: "{chain}", key_file: "{key}" }}'
    return ["nats-server", "-c", _configured(start, "nats.conf", tls=tls)]


def _mosquitto(start: Start) -> list:
    tls = ""
    if start.certificate is not None:
        chain, key = start.certificate
        tls = f"certfile {chain}\nkeyfile {key}"
    return ["mosquitto", "-c", _configured(start, "mosquitto.conf", tls=tls)]


def _flask_version(_: Place) -> str:
    return f"{_package('python3-flask-socketio')}, eventlet {_package('python3-eventlet')}"


def _nchan_version(_: Place) -> str:
    nginx = _number(output_of("nginx", "-v"))
    return f"{_package('libnginx-mod-nchan')} in nginx {nginx}"


def _all() -> list:
    socketio = TARGETS / "socketio.txt"
    broadcast = TARGETS / "echo_broadcast.txt"
    return [
        Server(
            "parleyd",
            "Parley",
            "`parley.v1`, publications in JSON with offset, cursor, sender and time, history kept",
            _parleyd,
            lambda place: _number(output_of(place.parleyd, "version")),
            path="/ws",
        ),
        Server(
            "bun",
            "Bun",
            "`Bun.serve` with topics, which are those of uWebSockets; the bare text",
            _bun,
            lambda place: _number(output_of(_bun_program(place), "--version")),
            broadcast,
        ),
        Server(
            "nchan",
            "Nchan",
            "subscribers over WebSocket, publishers POST; the bare text, history kept",
            _nchan,
            _nchan_version,
            TARGETS / "nchan.txt",
        ),
        Server(
            "ws",
            "ws",
            "a loop over a room's members on Node; the bare text",
            _script("node", "ws.mjs"),
            lambda place: _node(place, "ws"),
            broadcast,
        ),
        Server(
            "socketio",
            "Socket.IO",
            "the stock server on Node, straight over WebSocket; an event with a text",
            _script("node", "socketio.mjs"),
            lambda place: _node(place, "socket.io"),
            socketio,
            "socketio",
        ),
        Server(
            "flask",
            "Flask-SocketIO",
            "on eventlet, straight over WebSocket; an event with a text",
            _script("/usr/bin/python3", "flask_rooms.py"),
            _flask_version,
            socketio,
            "socketio",
        ),
        Server(
            "nats",
            "NATS",
            "`nats-server`, its own protocol over WebSocket; a `MSG` with a text",
            _nats,
            lambda _: _number(output_of("nats-server", "--version")),
            TARGETS / "nats.txt",
        ),
        Server(
            "mosquitto",
            "mosquitto",
            "MQTT 3.1.1 over WebSocket, QoS 0; a `PUBLISH` with a text",
            _mosquitto,
            lambda _: _package("mosquitto"),
            TARGETS / "mqtt.txt",
        ),
    ]


SERVERS = {server.name: server for server in _all()}
REFERENCE = "parleyd"


def extra_server(text: str) -> Server:
    """NAME;TARGET FILE;COMMAND[;TLS COMMAND], with {port} {cert} {key} in the commands."""
    parts = text.split(";")
    if not 3 <= len(parts) <= 4 or not all(parts[:3]):
        raise argparse.ArgumentTypeError(
            f"'{text}': expected NAME;TARGET FILE;COMMAND[;TLS COMMAND]"
        )
    name, target, plain = parts[:3]
    secure = parts[3] if len(parts) == 4 else ""

    def command(start: Start) -> list:
        chain, key = start.certificate or ("", "")
        values = {"port": start.port, "cert": chain, "key": key}
        return filled(secure if start.certificate else plain, values).split()

    return Server(
        name,
        name,
        f"`{plain.split()[0].rsplit('/', 1)[-1]}`, given on the command line",
        command,
        lambda _: "",
        pathlib.Path(target).resolve(),
        secure=bool(secure),
    )
