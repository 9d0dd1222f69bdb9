"""The state machine: every rule is an act of the world, every invariant the judge's verdict."""

from __future__ import annotations

from typing import Any, Literal, Self

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from .acts import HARMLESS, HIDING, Acts
from .others import CONTENTS, Trouble
from .session_rules import ONE_OF_THREE, STAGES, SessionRules
from .stage import Stage

WHO = st.integers(0, 1)
ANY = st.one_of(ONE_OF_THREE, st.sampled_from(CONTENTS[:2]))
GET_TROUBLES = st.sampled_from(["404 html", "500", "drop", "429", "html", "cut", "307"])
PUT_TROUBLES = st.sampled_from(["403", "404 html", "500", "307", "lose", "cut", "drop", "429"])
SYNC_TROUBLES = st.sampled_from(["500", "502 html", "drop", "cut", "html", "lose"])
SERVER_TROUBLES = st.sampled_from(["500", "drop", "html", "cut", "429"])


class Machine(SessionRules):
    """Two users, a bot, three identity servers, and everything that goes wrong between them.

    The stage is set by a subclass (see ``on``).
    """

    @classmethod
    def on(cls, stage: Stage, **attributes: Any) -> type[Self]:
        """The machine with its servers."""
        return type("Staged", (cls,), {"stage": stage, **attributes})

    @initialize(default=st.sampled_from([None, 0, 0, 1]), trusted=st.sampled_from([3, 3, 2]))
    def begin(self, default: int | None, trusted: int) -> None:
        """A bot starts; the third server is sometimes not one that it trusts."""
        urls = self.stage.urls
        self.world = Acts(self.stage, None if default is None else urls[default], urls[:trusted])

    def teardown(self) -> None:
        """Let everything end, and look at what is left."""
        if hasattr(self, "world"):
            self.world.finish()

    @invariant()
    def nothing_was_wrong(self) -> None:
        """The judge has found nothing so far."""
        if hasattr(self, "world"):
            self.world.check_now()

    # -- other clients

    @rule(which=ONE_OF_THREE, slash=st.booleans(), who=st.sampled_from([None, None, None, 0, 1]))
    def another_client_chooses(self, which: int, slash: bool, who: int | None) -> None:
        """A URL, perhaps written as clients did years ago."""
        url = self.stage.urls[which] + ("/" if slash else "")
        self.world.elsewhere({"base_url": url}, who)

    @rule(content=st.sampled_from([*CONTENTS[:1] * 6, *CONTENTS[1:2] * 3, *CONTENTS]))
    def another_client_writes(self, content: Any) -> None:
        """Null, nothing, or garbage."""
        self.world.elsewhere(content)

    @rule()
    def another_client_deletes(self) -> None:
        """The event goes away."""
        self.world.delete()

    @rule(which=st.one_of(ONE_OF_THREE, st.sampled_from([*CONTENTS[:2]])), instead=st.booleans())
    def the_next_sync_is_stale(self, which: Any, instead: bool) -> None:
        """A sync will say what is not true."""
        self.world.replay(self._content(which), instead=instead)

    # -- syncs

    @precondition(lambda self: not self.world.syncing)
    @rule(
        initial=st.sampled_from([False, False, True]),
        full=st.sampled_from([None, None, None, True]),
        sync_filter=st.sampled_from([None, None, None, HIDING, HARMLESS, "0"]),
        poll=st.booleans(),
    )
    def the_bot_syncs(self, initial: bool, full: bool | None, sync_filter: Any, poll: bool) -> None:
        """Once, in one way or another; a long poll goes on in the background."""
        self.world.sync(
            initial=initial,
            timeout=20_000 if poll else 0,
            full_state=full,
            sync_filter=sync_filter,
        )

    @precondition(lambda self: not self.world.syncing)
    @rule()
    def the_bot_goes_on(self) -> None:
        """The plainest sync there is."""
        self.world.sync()

    @precondition(lambda self: not self.world.syncing)
    @rule(told=ANY, then=ANY)
    def a_sync_is_late(self, told: Any, then: Any) -> None:
        """Its answer is formed, and the choice changes again before it arrives."""
        self.world.elsewhere(self._content(told))
        self.world.hold("sync", "answer")
        self.world.sync()
        self.world.elsewhere(self._content(then))

    @rule(what=ANY, stage=STAGES)
    def a_write_is_slow(self, what: Any, stage: Literal["arrival", "answer", "body"]) -> None:
        """The user picks, and the homeserver takes its time."""
        self.world.hold("PUT", stage)
        if isinstance(what, int):
            self.world.set(self.stage.urls[what])
        elif what:
            self.world.disable()
        else:
            self.world.reset()

    @rule(on=st.booleans())
    def syncs_are_cached(self, on: bool) -> None:
        """The homeserver repeats its answers, as Synapse does for two minutes."""
        self.stage.homeserver.cache_initial_sync = on

    @rule(
        which=st.one_of(ONE_OF_THREE, st.sampled_from(CONTENTS)),
        new=st.booleans(),
        deep=st.booleans(),
    )
    def a_sync_is_injected(self, which: Any, new: bool, deep: bool) -> None:
        """A framework replays a stored response."""
        token = "s1" if new else self.world.bot.next_batch
        self.world.inject(self._content(which), token=token, deep=deep)

    @rule(calling=st.booleans())
    def callbacks_call(self, calling: bool) -> None:
        """From now on, nio's callbacks make calls, or do not."""
        self.world.calling = calling
        self.world.poke()

    # -- the bot

    @rule(again=st.booleans())
    def the_bot_calls(self, again: bool) -> None:
        """A call or two."""
        self.world.ping()
        if again:
            self.world.versions()

    @rule(stage=STAGES, then=ANY, by=st.sampled_from(["read", "sync", None]))
    def a_call_is_slow(
        self, stage: Literal["arrival", "answer", "body"], then: Any, by: str | None
    ) -> None:
        """Its server takes its time, and the choice changes meanwhile."""
        world = self.world
        server = world.rules.server(world.truth())
        if server in self.stage.urls:
            world.hold(server, stage)
        world.ping()
        world.elsewhere(self._content(then))
        if by == "read":
            world.refresh()
        elif by == "sync" and not world.syncing:
            world.sync()

    @rule(which=ONE_OF_THREE)
    def the_bot_sets(self, which: int) -> None:
        """The user picks a server."""
        self.world.set(self.stage.urls[which])

    @rule()
    def the_bot_disables(self) -> None:
        """The user wants none."""
        self.world.disable()

    @rule()
    def the_bot_resets(self) -> None:
        """The user takes the choice back."""
        self.world.reset()

    @rule()
    def the_bot_refreshes(self) -> None:
        """The choice is read again."""
        self.world.refresh()

    @rule()
    def the_bot_resolves(self) -> None:
        """It is asked which server it is."""
        self.world.resolve()

    @rule(which=ONE_OF_THREE)
    def the_bot_checks(self, which: int) -> None:
        """A server is looked at."""
        self.world.check(self.stage.urls[which])

    @rule(client=st.booleans())
    def the_bot_closes(self, client: bool) -> None:
        """Connections are closed, and opened again when they are needed."""
        self.world.close(client=client)

    @precondition(lambda self: self.world.operations)
    @rule(data=st.data())
    def something_is_cancelled(self, data: st.DataObject) -> None:
        """Whatever is under way."""
        pending = sorted(self.world.operations, key=lambda one: one.name)
        self.world.cancel(pending[data.draw(st.integers(0, len(pending) - 1))])

    @rule(seconds=st.sampled_from([0.015, 0.015, 3.0]))
    def time_passes(self, seconds: float) -> None:
        """More than a call waits for a sync, or than it waits before it asks again."""
        self.world.pause(seconds)

    # -- logins

    @rule(who=WHO, notice=st.booleans())
    def another_login(self, who: int, notice: bool) -> None:
        """A framework assigns user and token."""
        self.world.switch(who, notice=notice)

    @rule(who=WHO)
    def a_login_by_password(self, who: int) -> None:
        """The bot logs in."""
        self.world.login(who)

    @rule()
    def a_new_token(self) -> None:
        """The same user, logged in again."""
        self.world.new_token()

    # -- trouble

    @rule(
        what=st.sampled_from(["GET", "PUT", "sync", 0, 1, 2]), stage=STAGES, times=st.integers(1, 2)
    )
    def the_next_is_held(
        self, what: str | int, stage: Literal["arrival", "answer", "body"], times: int
    ) -> None:
        """Requests of a kind wait, before or after they take effect."""
        self.world.hold(what if isinstance(what, str) else self.stage.urls[what], stage, times)

    @precondition(lambda self: self.world.holds)
    @rule(first=st.booleans())
    def held_requests_go_on(self, first: bool) -> None:
        """One hold ends, or all."""
        self.world.release(self.world.holds[0] if first else None)

    @rule(how=GET_TROUBLES, times=st.integers(1, 2))
    def reads_fail(self, how: Trouble, times: int) -> None:
        """The next reads."""
        self.world.trouble("GET", how, times)

    @rule(how=PUT_TROUBLES)
    def a_write_fails(self, how: Trouble) -> None:
        """The next write."""
        self.world.trouble("PUT", how)

    @rule(how=SYNC_TROUBLES)
    def a_sync_fails(self, how: Trouble) -> None:
        """The next sync."""
        self.world.trouble("sync", how)

    @rule(which=ONE_OF_THREE, how=SERVER_TROUBLES)
    def an_identity_server_fails(self, which: int, how: Trouble) -> None:
        """Its next answer."""
        self.world.trouble(self.stage.urls[which], how)

    @rule()
    def trouble_ends(self) -> None:
        """No fault is left."""
        for server in (self.stage.homeserver, *self.stage.identity_servers):
            server.clear_faults()

    def _content(self, which: Any) -> Any:
        if isinstance(which, int) and which < len(self.stage.urls):
            return {"base_url": self.stage.urls[which]}
        return which
