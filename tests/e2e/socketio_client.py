"""A client of Debian's python3-socketio, with asyncio or with threads. A line of stdin is a JSON
array: ["emit", event, ...args] or ["call", number, seconds, event, ...args], which waits that long
to be acknowledged; a line of stdout is {"event", "args"}, {"ack", "args"} or {"ack", "error"}. The
first line is {"transport"}; the last one, {"closed"}, says that the connection is gone; the end of
stdin closes it. Bytes are {"$bytes": base64}.

usage: socketio_client.py asyncio|threads URL NAMESPACE TRANSPORTS CERTIFICATE AUTH EVENTS

TRANSPORTS, CERTIFICATE and AUTH (JSON) may be empty. EVENTS, separated by commas, go to handlers of
one argument, as such programs have them; with none, one handler takes all.
"""

import asyncio
import base64
import json
import ssl
import sys

import socketio


def packed(value):
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    raise TypeError(f"{value!r} is no JSON")


def unpacked(value):
    if isinstance(value, list):
        return [unpacked(each) for each in value]
    if isinstance(value, dict):
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        return {name: unpacked(each) for name, each in value.items()}
    return value


def put(**line):
    # In one write: each event has a thread of its own.
    sys.stdout.write(json.dumps(line, default=packed) + "\n")
    sys.stdout.flush()


def put_answer(number, answer):
    args = answer if isinstance(answer, tuple) else () if answer is None else (answer,)
    put(ack=number, args=args)


def listen(client, namespace, events):
    for event in events:
        client.on(event, lambda data, event=event: put(event=event, args=[data]),
                  namespace=namespace)
    if not events:
        client.on("*", lambda event, *args: put(event=event, args=args), namespace=namespace)
    client.on("disconnect", lambda: put(closed=True), namespace=namespace)


def command_of(line):
    command, *rest = unpacked(json.loads(line))
    if command == "emit":
        return None, None, rest[0], tuple(rest[1:])
    return rest[0], rest[1], rest[2], tuple(rest[3:])


async def with_asyncio(url, certificate, namespace, events, **options):
    import aiohttp

    context = ssl.create_default_context(cafile=certificate) if certificate else None
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        client = socketio.AsyncClient(http_session=session, reconnection=False)
        listen(client, namespace, events)
        await client.connect(url, namespaces=[namespace], wait_timeout=10, **options)
        await take_commands(client, namespace)
        await client.disconnect()


async def take_commands(client, namespace):
    put(transport=client.transport())
    stdin = asyncio.StreamReader(limit=1 << 22)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)

    async def call(number, seconds, event, args):
        try:
            put_answer(number, await client.call(event, args, namespace, timeout=seconds))
        except socketio.exceptions.TimeoutError:
            put(ack=number, error="timeout")

    calls = set()
    while line := await stdin.readline():
        number, seconds, event, args = command_of(line)
        if number is None:
            await client.emit(event, args, namespace)
        else:
            calls.add(asyncio.create_task(call(number, seconds, event, args)))


def with_threads(url, certificate, namespace, events, **options):
    import requests

    session = requests.Session()
    session.verify = certificate or True
    session.trust_env = False  # or a variable of the environment names other certificates
    client = socketio.Client(http_session=session, reconnection=False)
    listen(client, namespace, events)
    client.connect(url, namespaces=[namespace], wait_timeout=10, **options)
    put(transport=client.transport())

    def call(number, seconds, event, args):
        try:
            put_answer(number, client.call(event, args, namespace, timeout=seconds))
        except socketio.exceptions.TimeoutError:
            put(ack=number, error="timeout")

    for line in sys.stdin:
        number, seconds, event, args = command_of(line)
        if number is None:
            client.emit(event, args, namespace)
        else:
            client.start_background_task(call, number, seconds, event, args)
    client.disconnect()


def main(how, url, namespace, transports, certificate, auth, events):
    options = {
        "url": url,
        "certificate": certificate,
        "namespace": namespace,
        "transports": transports.split(",") if transports else None,
        "auth": json.loads(auth) if auth else None,
        "events": [event for event in events.split(",") if event],
    }
    try:
        if how == "asyncio":
            asyncio.run(with_asyncio(**options))
        else:
            with_threads(**options)
    except socketio.exceptions.ConnectionError as error:
        put(refused=str(error))


main(*sys.argv[1:])
