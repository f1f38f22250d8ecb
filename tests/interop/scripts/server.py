"""A server without ws-framed. Prints its port, and how each connection was closed."""

import asyncio
import json

import websockets


async def main():
    connections = 0
    done = asyncio.Event()

    async def serve(socket):
        nonlocal connections
        connections += 1
        closes = connections == 2
        try:
            while True:
                text = await socket.recv()
                assert isinstance(text, str), "a binary message"
                if closes:
                    await socket.close(4002, "enough")
                else:
                    await socket.send(json.dumps({"echo": json.loads(text)}))
        except websockets.ConnectionClosed:
            pass
        print(json.dumps([socket.close_code, socket.close_reason]), flush=True)
        if closes:
            done.set()

    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await done.wait()


asyncio.run(main())
