"""What is known about one user's choice, and everybody who waits for news of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from enum import Enum

import attrs

from nio_identity_server.client.change import Change, Dropped
from nio_identity_server.client.generation import Generation
from nio_identity_server.errors import IdentityServerChanged, NotConfirmed
from nio_identity_server.preference.account_data import Known, Unconfirmed
from nio_identity_server.preference.choice import Choice
from nio_identity_server.preference.evidence import Witness
from nio_identity_server.preference.resolution import Resolution
from nio_identity_server.single_flight import SingleFlight

FRESH_FOR = 300.0
"""Seconds that knowledge lasts while no sync that would show a change is answered."""


class Outcome(Enum):
    """How a write ended."""

    STORED = "stored"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@attrs.define(eq=False)
class Write:
    """A PUT of ours that is under way.

    Attributes:
        value: What is being written.
        meanwhile: The last thing seen meanwhile that is to be judged when it has ended.
    """

    value: Known
    meanwhile: tuple[Witness, Known] | None = None

    def saw(self, witness: Witness, value: Known) -> None:
        """Keep what is to be judged.

        What repeats our value may be as old as our write: only a change in the stream shows that
        nothing else holds any more that was seen before it.
        """
        if self.meanwhile is None or value != self.value or witness is Witness.CHANGE:
            self.meanwhile = (witness, value)


@attrs.define(eq=False)
class Account:
    """The state of one user; a new one is made when another user logs in.

    Attributes:
        user_id: Whose state it is; empty until the client knows.
        report: Called with each change.
        clock: Seconds that never go back.
        choice: What is known.
        version: Counts what was learned, so that a read can tell whether it was overtaken.
        sync_answered: Whether any sync of this user has been answered, even one that proves
            nothing. From then on a call asks at once: it may stand inside a callback of the very
            sync loop that it would wait for.
        generation: The server in use; kept through a doubt.
        open_generation: The same if a call may go out without another look, else None.
        fresh_until: When knowledge expires, by ``clock``.
        reading: The read that is under way.
        read_limit: Seconds that it may take; None for as long as the homeserver may.
        ended: Why this state is over, or None.
    """

    user_id: str
    report: Callable[[Change], None]
    clock: Callable[[], float] = time.monotonic
    choice: Choice = attrs.field(factory=Choice)
    version: int = 0
    sync_answered: bool = False
    generation: Generation | None = None
    open_generation: Generation | None = None
    fresh_until: float = 0.0
    reading: SingleFlight[str] = attrs.field(factory=SingleFlight)
    read_limit: float | None = None
    ended: str | None = None
    _write: Write | None = None
    _missed: bool = False
    _waiting: dict[asyncio.Future[None], None] = attrs.field(factory=dict, init=False)

    @property
    def is_writing(self) -> bool:
        """Whether a write is under way; calls wait until it has ended."""
        return self._write is not None

    @property
    def is_settled(self) -> bool:
        """Whether what is known may be acted upon now."""
        return self.choice.is_settled and not self.is_writing

    # -- learning

    def saw(self, witness: Witness, value: Known) -> None:
        """Take in what a sync or a read says."""
        write = self._write
        if write is not None and value not in self.choice.owed:  # not the echo of an older write
            # Older or newer than what we write? Believed now, and doubted once we have written. A
            # read was asked before our write was answered, so it is no better than a snapshot then.
            write.saw(Witness.SNAPSHOT if witness is Witness.READ else witness, value)
            if value == write.value:
                return  # perhaps our own echo, early: judged when the write has ended
        self._learn(witness, value)

    def watched(self, *, everything: bool = True) -> None:
        """Note that a sync was answered.

        Args:
            everything: Whether it would have shown a change. What one sync hides, no later one
                shows: so the first that shows everything again makes what is known expire.
        """
        if not everything:
            self._missed = True
        elif self._missed:
            self._missed = False
            self.expire()
        else:
            self.fresh_until = self.clock() + FRESH_FOR

    def answered(self) -> None:
        """Note that a sync was answered: nobody waits for one any more."""
        if not self.sync_answered:
            self.sync_answered = True
            self.wake()

    def expire(self) -> None:
        """Make the next call read again what is known."""
        if self.choice.is_settled:  # else nothing changes, and nobody need be woken
            self._become(self.choice.expired())

    def check_freshness(self) -> None:
        """Expire what is known if no sync has been watched for too long."""
        if self.clock() >= self.fresh_until:
            self.expire()

    def unread(self) -> None:
        """Let a provisional word stand, because it could not be read again."""
        self._renew()
        self._become(self.choice.unread())

    def _renew(self) -> None:
        self._missed = False
        self.fresh_until = self.clock() + FRESH_FOR

    # -- writing

    def begin_write(self, value: Known) -> Write:
        """Hold calls back while this value is being written."""
        self.version += 1
        self._write = write = Write(value)
        self._become(self.choice)
        return write

    def end_write(self, write: Write, outcome: Outcome) -> None:
        """End the write that is under way."""
        self._write = None
        self.version += 1
        if outcome is Outcome.STORED:
            self._learn(Witness.WRITE, write.value)
        else:
            self._become(self.choice.lost() if outcome is Outcome.UNKNOWN else self.choice)
        if write.meanwhile is not None and (
            outcome is Outcome.STORED or write.meanwhile[1] == write.value
        ):
            self._learn(*write.meanwhile)

    # -- generations

    def follow(self, resolution: Resolution) -> None:
        """End the generation of another resolution (the default can change as well)."""
        if self.generation is not None and self.generation.resolution != resolution:
            self._end_generation("the identity server in use changed", for_good=True)
            self._become(self.choice)

    def enter(self, resolution: Resolution) -> Generation:
        """The generation of this resolution: the one that lasts, or a new one.

        Raises:
            IdentityServerError: The resolution's refusal, if it has one.
        """
        if resolution.base_url is None:
            raise resolution.refusal or NotConfirmed("nothing has been learned yet")
        if self.generation is None:
            self.generation = Generation(resolution.base_url, resolution)
            self._become(self.choice)
        return self.generation

    def end(self, reason: str) -> None:
        """End everything: this user is no longer the client's."""
        self.ended = reason
        self.open_generation = None
        self.reading.cancel()
        self._end_generation(reason, for_good=False)
        self.wake()

    def close(self) -> None:
        """End what runs and what waits, because the client is closed; what is known stays known."""
        self.reading.cancel()
        self._end_generation("the client was closed", for_good=False)
        self.open_generation = None
        self.wake(NotConfirmed("the client was closed while this call was waiting"))

    def check_not_ended(self) -> None:
        """Raise if this user is no longer the client's.

        Raises:
            IdentityServerChanged: With the reason.
        """
        if self.ended is not None:
            raise IdentityServerChanged(None, self.ended)

    # -- waiting

    async def news(self, seconds: float | None = None) -> bool:
        """Wait until something happened.

        Args:
            seconds: How long at most; None for as long as it takes.

        Returns:
            False if nothing happened in that time.

        Raises:
            NotConfirmed: If the client was closed meanwhile.
        """
        future = asyncio.get_running_loop().create_future()
        self._waiting[future] = None
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiting.pop(future, None)
        return True

    def wake(self, error: NotConfirmed | None = None) -> None:
        """Tell everybody who waits that something happened, or that nothing ever will."""
        waiting, self._waiting = self._waiting, {}
        for future in waiting:
            # A client may outlive an event loop: what waited in a closed one waits no more.
            if not future.done() and not future.get_loop().is_closed():
                _finish(future, error)

    # -- the one place where the state changes

    def _learn(self, witness: Witness, value: Known) -> None:
        old = self.choice.known
        self.version += 1
        choice = self.choice.told(witness, value)
        if witness is not Witness.SNAPSHOT:
            self._renew()
        own = witness is Witness.WRITE
        dropped = None
        if choice.known != old and old is not None:
            reason = "the user's choice of identity server changed"
            dropped = self._end_generation(reason, for_good=True)
        self._become(choice)
        if self.ended is None and choice.known != old and (own or old is not None):
            before = Unconfirmed() if old is None else old
            self.report(Change(before, value, witness, own, dropped))

    def _become(self, choice: Choice) -> None:
        self.choice = choice
        may_enter = self.is_settled and self.ended is None
        self.open_generation = self.generation if may_enter else None
        self.wake()

    def _end_generation(self, reason: str, *, for_good: bool) -> Dropped | None:
        """End it; for good if the user has left its server, so that its token is forgotten."""
        generation, self.generation = self.generation, None
        if generation is None:
            return None
        dropped = generation.end(reason)
        if for_good and generation.session is not None:
            generation.session.forget(self.user_id)
        return dropped


def _finish(future: asyncio.Future[None], error: NotConfirmed | None) -> None:
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(NotConfirmed(error.reason))
