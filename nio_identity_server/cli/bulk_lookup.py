"""Looking up a list of any length, a part at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import attrs

from nio_identity_server.batch import read_batch
from nio_identity_server.cli.address_book import MOST_LINES, Entry, lines_text
from nio_identity_server.cli.checkpoint import Progress, Sink
from nio_identity_server.cli.endings import ExitCode, Failure
from nio_identity_server.cli.results import Form
from nio_identity_server.client.identity_server import IdentityServer
from nio_identity_server.errors import IdentityServerChanged
from nio_identity_server.flows.lookup import CHUNK

_NAMES = ("address", "user_id")


@attrs.define(eq=False)
class BulkLookup:
    """A long list, and how far it came.

    Attributes:
        sink: Where results go.
        form: How they are written.
        allow_plaintext: Whether addresses may be sent in the clear.
        invalid_lines: Where the first of those stand that are no addresses.
        progress: How far it came.
    """

    sink: Sink
    form: Form
    allow_plaintext: bool
    invalid_lines: list[int] = attrs.field(factory=list)
    progress: Progress = attrs.field(init=False)
    _digest: hashlib._Hash = attrs.field(factory=hashlib.sha256, init=False)

    def __attrs_post_init__(self) -> None:
        self.progress = self.sink.begun

    async def run(
        self, server: IdentityServer, entries: Iterator[Entry], tell: Callable[[Progress], None]
    ) -> None:
        """Look up all of them; what an earlier run has done is left out.

        Args:
            server: Whom to ask.
            entries: The addresses.
            tell: Called whenever a part is done.

        Raises:
            Failure: If an earlier run had another list, another form, or another server.
            IdentityServerChanged: If the user's choice changes meanwhile.
        """
        self._begin(entries, await _base_url(server))
        while part := list(islice(entries, CHUNK)):
            await self._look_up(server, part)
            tell(self.progress)
        self.sink.finish()

    def _begin(self, entries: Iterator[Entry], base_url: str) -> None:
        begun = self.progress
        if not begun.entries:
            self.progress = attrs.evolve(begun, server=base_url, form=self.form.value)
            self.sink.write(self.form.head(_NAMES))
            return
        for entry in islice(entries, begun.entries):
            self._note(entry.text)
        for was, now, what in (
            (begun.digest, self._digest.hexdigest(), "with another list"),
            (begun.form, self.form.value, f"in another form, as {begun.form}"),
            (begun.server, base_url, f"at another server, {begun.server}"),
        ):
            if was != now:
                raise Failure(f"the lookup was begun {what}: begin anew", ExitCode.USAGE)

    @property
    def invalid_text(self) -> str:
        """Where those stand that are no addresses; of an earlier run that is not known any more."""
        if not self.invalid_lines:
            return "among those of the earlier run"
        return lines_text(self.invalid_lines, self.progress.invalid)

    async def _look_up(self, server: IdentityServer, part: Sequence[Entry]) -> None:
        if await _base_url(server) != self.progress.server:
            reason = "the user's choice of identity server changed"
            raise IdentityServerChanged(self.progress.server, reason)
        texts = [entry.text for entry in part]
        found = await server.lookup(texts, allow_plaintext=self.allow_plaintext, invalid="skip")
        invalid = read_batch(texts).invalid
        room = MOST_LINES - len(self.invalid_lines)
        self.invalid_lines += [part[place].line for place in invalid[:room]]
        hits = list(filter(found.__contains__, texts)) if found else []
        for text in hits:
            self.sink.write(self.form.line({"address": text, "user_id": found[text]}))
        for text in texts:
            self._note(text)
        self.progress = attrs.evolve(
            self.progress,
            entries=self.progress.entries + len(part),
            digest=self._digest.hexdigest(),
            found=self.progress.found + len(hits),
            invalid=self.progress.invalid + len(invalid),
        )
        self.sink.commit(self.progress)

    def _note(self, text: str) -> None:
        self._digest.update(f"{text}\n".encode(errors="surrogatepass"))


async def _base_url(server: IdentityServer) -> str:
    """The server that calls go to now.

    Raises:
        IdentityServerError: If there is none.
    """
    resolution = await server.resolve()
    if resolution.refusal is not None:
        raise resolution.refusal
    return str(resolution.base_url)
