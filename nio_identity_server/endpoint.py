"""What an endpoint is: method, path, who may receive it, request, checked reply.

The classes in :mod:`nio_identity_server.endpoints` are data of this shape and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import quote

import attrs
import msgspec

from nio_identity_server import strict_json
from nio_identity_server.words import without

_FIELD = re.compile(r"\{(\w+)\}")

Reply = TypeVar("Reply")
Reply_co = TypeVar("Reply_co", covariant=True)


class Receiver(Enum):
    """Who may receive a request. No token of one ever goes to the other."""

    IDENTITY_SERVER = "identity server"
    HOMESERVER = "homeserver"


def _texts(value: object) -> Iterator[str]:
    """Every text in a JSON value, but for the keys of objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(value.values())
    elif isinstance(value, Iterable):
        for each in value:
            yield from _texts(each)


def _segment(text: str) -> str:
    if text in {".", ".."}:
        # A step of the path, however it is encoded: URL libraries decode it and take it.
        raise ValueError("a field of a path cannot be . or ..")
    return quote(text, safe="", errors="replace")  # half of a surrogate pair has no UTF-8


@attrs.frozen
class Endpoint(Generic[Reply_co]):
    """One request of the Matrix specification, ready to be sent.

    Subclasses are named after the specification's operationId, without ``V2``.

    Attributes:
        method: HTTP method.
        path: Path below the base URL; ``{name}`` stands for the field of that name.
        receiver: Who may receive it.
        authenticated: Whether it carries the receiver's own token.
        repeatable: Whether it may be sent again when it is not known if it arrived: it sends no
            mail, binds nothing and writes nothing.
        reply: What a good reply is decoded into, strictly.
        cap: Most bytes that a reply may have.
        timeout: Seconds for the whole request, reply included.
    """

    method: ClassVar[str] = "GET"
    path: ClassVar[str]
    receiver: ClassVar[Receiver] = Receiver.IDENTITY_SERVER
    authenticated: ClassVar[bool] = False
    repeatable: ClassVar[bool] = False
    reply: ClassVar[Any]
    cap: ClassVar[int] = 64 * 1024
    timeout: ClassVar[float] = 30.0

    @property
    def target(self) -> str:
        """The path with its fields filled in, each percent-encoded whole.

        Whatever a field holds, it stays one segment (matrix-js-sdk CVE-2024-50336 did not).

        Raises:
            ValueError: If a field is ``.`` or ``..``, which no encoding makes a segment.
        """
        if "{" not in self.path:
            return self.path
        fields = attrs.asdict(self, recurse=False)
        return _FIELD.sub(lambda match: _segment(str(fields[match[1]])), self.path)

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The JSON object to send, or None for no body."""
        return None

    @property
    def is_large(self) -> bool:
        """Whether a server may refuse it for its size without saying so."""
        return False

    @property
    def payload(self) -> bytes | None:
        """The bytes to send, or None for no body."""
        return None if self.body is None else json.dumps(self.body).encode()

    def redact(self, text: str) -> str:
        """Blank out what was sent and must not be shown, which a server may repeat in its answer.

        That is every text in a field that is not in the printed form.
        """
        hidden = [field.name for field in attrs.fields(type(self)) if not field.repr]
        return without(text, _texts([getattr(self, name) for name in hidden]))

    def read(self, data: bytes) -> Reply_co:
        """Decode the bytes of a good reply.

        Raises:
            BadReply: If they are not what the specification says.
        """
        reason = ""
        try:
            reply: Reply_co = msgspec.convert(strict_json.loads(data), self.reply)
        except strict_json.NotJson as error:
            reason = f"the body is not JSON: {error}"
        except msgspec.ValidationError as error:
            # msgspec names the path and the types, never a value.
            reason = f"the body has the wrong form: {error}"
        else:
            return reply
        raise BadReply(reason)


class BadReply(ValueError):
    """A reply that does not have the form of its endpoint; turned into our errors by the client."""
