"""What others do to a bot: other clients of its user, the homeserver, the network."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote

from nio_identity_server.testing import Hold, MatrixIdentityServer

from .model import ABSENT, FORBIDDEN, Value
from .stage import EVENT
from .world import World

PATHS = {"GET": "/account_data/", "PUT": "/account_data/", "sync": "/sync"}

CONTENTS: tuple[Any, ...] = (
    {"base_url": None},
    {},
    {"base_url": ""},
    {"base_url": 5},
    {"base_url": []},
    {"base_url": "http://evil.example"},
    {"base_url": FORBIDDEN},
    [],
    "text",
    5,
    None,
)
"""Contents that name none of the three servers."""

Trouble = Literal["500", "502 html", "403", "404 html", "429", "drop", "lose", "cut", "html", "307"]


class Others(World):
    """A world in which things happen to the bot.

    Each ends when everything has happened that needs no clock; what is held goes on.
    """

    def settle(self) -> None:
        """Let everything happen that needs no clock."""
        self.stage.run(self.stage.settle())

    def truth(self) -> Value:
        """What the account data of the bot's user really says."""
        try:
            content = self.stage.homeserver.account_data(self.bot.user_id, EVENT)
        except LookupError:
            return ABSENT
        return self.rules.read(content)

    # -- the others

    def elsewhere(self, content: Any, who: int | None = None) -> None:
        """Another client of a user writes."""
        user = self.bot.user_id if who is None else self.users[who].user_id
        self.note(f"elsewhere: {user} {content}")
        self.stage.tick()
        self.stage.homeserver.set_account_data(user, EVENT, content)
        self.settle()

    def delete(self) -> None:
        """Another client of the user takes the event away."""
        try:
            self.stage.homeserver.delete_account_data(self.bot.user_id, EVENT)
        except LookupError:
            return
        self.note("elsewhere: deleted")
        self.settle()

    def replay(self, content: Any, *, instead: bool) -> None:
        """Let the next sync say this, whatever is true."""
        event = {"type": EVENT, "content": content}
        self.stage.homeserver.replay_sync(self.bot.user_id, [event], instead=instead)
        self.note(f"replay {content} {instead=}")
        self.settle()

    def poke(self) -> None:
        """Send the user's devices a message, which ends a long poll."""
        for user in self.users:
            self.stage.homeserver.send_to_device(user.user_id, "org.example.poke", {})
        self.settle()

    def hold(self, what: str, stage: Literal["arrival", "answer", "body"], times: int = 1) -> Hold:
        """Hold the next requests of a kind: GET, PUT, sync, or to a server's URL."""
        self.note(f"hold {what} {stage} {times}")
        if what in PATHS:
            method = "GET" if what == "sync" else what
            hold = self.stage.homeserver.hold(method, PATHS[what], stage=stage, times=times)
        else:
            hold = self._identity_server(what).hold(stage=stage, times=times)
        self.holds.append(hold)
        return hold

    def release(self, hold: Hold | None = None) -> None:
        """Release one hold, or all."""
        self.note("release")
        for one in [hold] if hold else self.holds:
            one.release()
        self.holds = [one for one in self.holds if not one.released]
        self.settle()

    def trouble(self, what: str, how: Trouble, times: int = 1) -> None:
        """Let the next requests of a kind fail."""
        self.note(f"trouble for {what}: {how} {times}")
        homeserver = self.stage.homeserver
        server = homeserver if what in PATHS else self._identity_server(what)
        scope: dict[str, Any] = {"times": times}
        if what in PATHS:
            scope |= {"method": "GET" if what == "sync" else what, "path": PATHS[what]}
        match how:
            case "500" | "403":
                server.reject_next(
                    int(how), "M_FORBIDDEN" if how == "403" else "M_UNKNOWN", **scope
                )
            case "429":
                server.reject_next(429, "M_LIMIT_EXCEEDED", retry_after_ms=5, **scope)
            case "502 html" | "404 html" | "html":
                status = 200 if how == "html" else int(how[:3])
                server.answer_next(status, "<html>", content_type="text/html", **scope)
            case "drop":
                server.drop_next(**scope)
            case "lose":
                server.lose_next(**scope)
            case "cut":
                server.cut_next(**scope)
            case "307":
                same = f"/_matrix/client/v3/user/{quote(self.bot.user_id, safe='')}/account_data/"
                server.redirect_next(f"{homeserver.url}{same}{EVENT}", **scope)

    def _identity_server(self, url: str) -> MatrixIdentityServer:
        return next(one for one in self.stage.identity_servers if one.url == url)
