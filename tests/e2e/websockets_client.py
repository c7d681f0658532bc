"""A WebSocket of Debian's python3-websockets: a line of stdin is a frame to send, a frame that
comes is a line of stdout. The last line says how it was closed; the end of stdin closes it.

usage: websockets_client.py URL [CERTIFICATE]
"""

import asyncio
import json
import ssl
import sys

import websockets


async def send_lines(socket):
    stdin = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    try:
        while line := await stdin.readline():
            await socket.send(line.decode().rstrip("\n"))
        await socket.close()
    except websockets.ConnectionClosed:
        pass  # who prints says so


def put(text):
    print(text, flush=True)


async def main(url, certificate=None):
    context = ssl.create_default_context(cafile=certificate) if certificate else None
    async with websockets.connect(url, ssl=context, subprotocols=["parley.v1"],
                                  max_size=1 << 20) as socket:
        sending = asyncio.create_task(send_lines(socket))
        try:
            async for frame in socket:
                put(frame)
        except websockets.ConnectionClosed:
            pass
        put(json.dumps({"type": "closed", "code": socket.close_code,
                        "protocol": socket.subprotocol}))
        sending.cancel()


asyncio.run(main(*sys.argv[1:]))
