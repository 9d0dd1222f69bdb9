"""The judge: what may be said to an identity server, from nothing but what the homeserver said.

It shares no code with the package and knows no standing, no version and no generation. It is told
which *words* of the homeserver reached the client, each with the place (``at``) that it has in the
order in which the homeserver formed its answers, and says which server a request may go to.

Reliable words are an answer to ``GET`` (200 with JSON, or 404 ``M_NOT_FOUND``), our own ``PUT``
answered 200, and the event in an incremental sync. What an initial, ``full_state``, injected or
replayed response says, absence included, is a *snapshot*.

A request by ``call()`` to a server is sound if, when it was begun, all of this held for the user
who was logged in then (words for another login never count, and a user who comes back begins
without any):

1. **Something is known.** Some word had reached the client.
2. **The latest word rules.** Of the reliable words that had surely reached the client, the one
   that the homeserver formed last means that server. (Between the moment in which an answer
   arrives and the moment in which it has surely been read, it may rule or not.) So nothing goes
   out after a fresh ``null`` or garbage until a later word, and the default is used only after a
   fresh word that means "not set".
3. **A snapshot alone is not enough.** Without any reliable word all snapshots must agree, and a
   read must have ended (in vain, or it would have been a word) since the first of them. If the
   first thing ever heard was a snapshot, the same is asked whatever was heard in a sync later.
4. **A doubt holds everything back.** After a snapshot that contradicts the ruling word, until
   another reliable word; after a write whose end is not known, until a reliable word that the
   homeserver formed after the write had been sent.
5. **Nothing goes out while a write of the user is under way.** It begins with ending the token at
   the server that is left, if there is one; a read that it overtakes is asked again.

One thing is granted: a read that only repeats what was known is as old as that knowledge, so that
a change which the homeserver formed between the two may still be adopted when it arrives late.

``check()`` and ``set()`` name their server themselves; for them 1, 3, 4 and 5 hold.

Bytes of a request, and a reply that is returned, belong to a server that was not contradicted
meanwhile: rule 2 again, except that a mere change in the stream contradicts only if no read and no
write was ever answered (else it may be older than those, which raises a doubt and ends nothing).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

import attrs

FORBIDDEN = "https://10.0.0.1"
"""A usable base URL at an address that no client may connect to: chosen, and nothing is sent."""


class Says(Enum):
    """The four things that a content can say."""

    URL = "a server"
    NULL = "null"
    MISSING = "nothing"
    GARBAGE = "garbage"


@attrs.frozen
class Value:
    """What a content says; every garbage is alike."""

    says: Says
    url: str | None = None


@attrs.frozen
class Rules:
    """How this client was configured.

    Attributes:
        default: The default server's URL, or None.
        named: All URLs that were named in code.
    """

    default: str | None
    named: frozenset[str]

    def read(self, content: Any) -> Value:
        """Tell what a content says."""
        if not isinstance(content, dict):
            return Value(Says.GARBAGE)
        if "base_url" not in content:
            return Value(Says.MISSING)
        url = content["base_url"]
        if url is None:
            return Value(Says.NULL)
        if isinstance(url, str) and url.rstrip("/") in {*self.named, FORBIDDEN}:
            return Value(Says.URL, url.rstrip("/"))
        return Value(Says.GARBAGE)

    def server(self, value: Value) -> str | None:
        """The server that it means; one that must not be contacted too."""
        return self.default if value.says is Says.MISSING else value.url


ABSENT = Value(Says.MISSING)


class Kind(Enum):
    """Which way a reliable word came."""

    READ = "read"
    WRITE = "write"
    CHANGE = "change"


@attrs.frozen
class Word:
    """One reliable word.

    Attributes:
        value: What it says.
        at: Its place in the order of the homeserver's answers.
        kind: How it came.
    """

    value: Value
    at: int
    kind: Kind


@attrs.define(eq=False)
class Ledger:
    """Everything that reached the client for one login of one user.

    Attributes:
        user_id: Whose.
        rules: The client's configuration.
        latest: Of the words that were surely read, the one that was formed last.
        coming: Words that have arrived and may have been read.
        snapshots: What the snapshots said, in order.
        writes_under_way: How many PUTs are under way.
        heard: Counts what reached the client.
    """

    user_id: str
    rules: Rules
    latest: Word | None = None
    coming: set[Word] = attrs.field(factory=set)
    snapshots: list[Value] = attrs.field(factory=list)
    writes_under_way: int = 0
    heard: int = 0
    _asked: bool = False
    _snapshot_first: bool = False
    _read_ended: bool = False
    _doubt: int | None = None

    # -- what reaches the client

    def arrived(self, word: Word) -> None:
        """An answer is here; the package may read it now or a little later."""
        self.heard += 1
        self.coming.add(word)
        self._asked = True
        self._dispel(word)

    def lost(self, word: Word) -> None:
        """An answer that was here was not read."""
        self.coming.discard(word)

    def told(self, word: Word) -> None:
        """A word has surely been read."""
        self.heard += 1
        self.coming.discard(word)
        self._asked |= word.kind is not Kind.CHANGE
        if self.latest is None and word.kind is Kind.READ and self.snapshots:
            repeats = word.value == self.snapshots[-1]
            self.latest = attrs.evolve(word, at=0) if repeats else word
        elif self.latest is None or word.at > self.latest.at:
            repeats = self.latest is not None and word.value == self.latest.value
            if word.kind is not Kind.READ or not repeats:
                self.latest = word
        self._dispel(word)

    def shown(self, value: Value) -> None:
        """A snapshot has been read."""
        self.heard += 1
        if self.latest is None and not self.coming and not self.snapshots:
            self._snapshot_first = True
        self.snapshots.append(value)
        if self.latest is not None and not self.coming and value != self.latest.value:
            self._doubt = self._doubt or 0

    def read_ended(self) -> None:
        """A GET ended, well or badly."""
        self._read_ended |= bool(self.snapshots)

    def write_ended_unknown(self, sent_at: int, *, seen: bool) -> None:
        """Nobody knows whether our PUT was stored, unless it was seen meanwhile."""
        if (self.latest is not None or self.coming or self.snapshots) and not seen:
            self._doubt = sent_at

    def _dispel(self, word: Word) -> None:
        if self._doubt is not None and word.at > self._doubt:
            self._doubt = None

    # -- the verdicts

    def why_not_yet(self) -> str | None:
        """Why no identity server may be spoken to at all, or None."""
        if self.writes_under_way:
            return "a write is under way"
        if self.latest is None and not self.coming:
            if not self.snapshots:
                return "nothing is known"
            if len(set(self.snapshots)) > 1:
                return "the snapshots differ and nothing has been read"
        if self._snapshot_first and not self._asked and not self._read_ended:
            return "a snapshot was not read again"
        return None if self._doubt is None else "what was known has been put in doubt"

    def why_not(self, server: str) -> str | None:
        """Why a request must not be begun to this server, or None."""
        return self.why_not_yet() or self._contradiction(server, self._meanings())

    def why_over(self, server: str) -> str | None:
        """Why nothing that was begun with this server may go on, or None."""
        latest = self.latest
        if latest is None or self.writes_under_way:
            return None
        if latest.kind is Kind.CHANGE and self._asked:
            return None
        return self._contradiction(server, self._meanings())

    def _meanings(self) -> Iterator[Value]:
        latest = self.latest
        if latest is not None:
            yield latest.value
        elif self.snapshots:
            yield self.snapshots[-1]
        for word in self.coming:
            if latest is None or word.at > latest.at:
                yield word.value

    def _contradiction(self, server: str, values: Iterator[Value]) -> str | None:
        servers = {self.rules.server(value) for value in values}
        return None if server in servers else f"{server} is not what was said last: {servers}"
