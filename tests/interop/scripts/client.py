"""A client without ws-framed. Usage: client.py URL"""

import asyncio
import json
import sys

import websockets

VALUES = ["ann", {"n": 1.5, "text": "Grüße, 世界"}, [], None, "x" * 40_000]


async def main(url):
    async with websockets.connect(url) as socket:
        for value in VALUES:
            await socket.send(json.dumps(value))
            reply = await socket.recv()
            assert isinstance(reply, str), "a binary message"
            assert json.loads(reply) == {"echo": value}, reply
        await socket.close(3001, "done")
    print(json.dumps([socket.close_code, socket.close_reason]))

    async with websockets.connect(url) as socket:
        await socket.send(json.dumps("close"))
        await socket.wait_closed()
    print(json.dumps([socket.close_code, socket.close_reason]))


asyncio.run(main(sys.argv[-1]))
