"""A homeserver and an identity server to try a bot on, as the tutorial does.

Both run in this process, and forget everything when it ends. What is typed is said to the bot, by
bob, in a room; what the bot says and what reaches the identity server is printed. ``/off`` and
``/default`` are what alice, whose account the bot uses, does in another client.
"""

import asyncio
import json
import sys
from contextlib import suppress

from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer

ROOM = "!plans:example.test"
TERMS = {"privacy": {"version": "1", "en": {"name": "Privacy", "url": "https://example.org/p"}}}
A_DAY = 86_400.0


async def print_requests(server: MatrixIdentityServer) -> None:
    """Print what reaches the identity server."""
    while requests := await server.wait_for(count=1, timeout=A_DAY):
        print(*(f"   -> identity server: {each.method} {each.path}" for each in requests), sep="\n")
        server.clear()


async def print_messages(homeserver: MatrixHomeserver) -> None:
    """Print what the bot says."""
    while requests := await homeserver.wait_for("PUT", "/send/m.room.message/", timeout=A_DAY):
        print(*(f"alice: {json.loads(each.body)['body']}" for each in requests), sep="\n")
        homeserver.clear()


async def pass_on(homeserver: MatrixHomeserver) -> None:
    """Pass on what is typed, until there is no more."""
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    choices = {"/off": {"base_url": None}, "/default": {}}
    while line := (await lines.readline()).decode():
        text = line.strip()
        if text in choices:
            homeserver.set_account_data("alice", "m.identity_server", choices[text])
        else:
            homeserver.add_message("alice", ROOM, text, sender="bob")


async def main() -> None:
    """Start both servers, and say how to reach them."""
    async with MatrixHomeserver() as homeserver, MatrixIdentityServer(homeserver) as server:
        homeserver.register("alice", "secret")
        homeserver.register("bob")
        server.bind("email", "bob@example.org", "@bob:example.test")
        server.require_terms(TERMS)
        print(f"export HOMESERVER={homeserver.url}")
        print(f"export IDENTITY_SERVER={server.url}")
        print("export USER_ID=@alice:example.test")
        print("export PASSWORD=secret")
        printing = (print_requests(server), print_messages(homeserver))
        tasks = [asyncio.create_task(each) for each in printing]
        await pass_on(homeserver)
        for task in tasks:
            task.cancel()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
