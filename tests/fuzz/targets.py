"""What is fuzzed: each parser of what others say, given any bytes.

A target returns if its parser gave a checked value or refused with its own exception. Anything else
that comes out of it is a finding. ``make fuzz`` drives them with atheris, ``test_targets.py``
without.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
from collections.abc import Callable
from typing import Any

import attrs
from yarl import URL

from nio_identity_server import endpoints, strict_json
from nio_identity_server.base_url import parse_base_url
from nio_identity_server.batch import Batch
from nio_identity_server.client.answer import Answer
from nio_identity_server.endpoint import BadReply, Endpoint
from nio_identity_server.endpoints.lookup import GetHashDetails
from nio_identity_server.endpoints.terms import GetTerms
from nio_identity_server.errors import IdentityServerError, InvalidAddress, InvalidBaseUrl
from nio_identity_server.flows.lookup import Lookup, Peppers
from nio_identity_server.flows.pending_invites import pending_invites
from nio_identity_server.flows.well_known import find_default
from nio_identity_server.invite_link import InviteLink
from nio_identity_server.matrix_id import is_user_id
from nio_identity_server.pending_validation import PendingValidation
from nio_identity_server.preference.account_data import (
    Chosen,
    Disabled,
    NotSet,
    Unusable,
    read_accepted_terms,
    read_content,
    with_accepted_terms,
)
from nio_identity_server.preference.evidence import SyncRequest, may_hide
from nio_identity_server.signing import NotSignable, canonical_json, is_signed_by
from nio_identity_server.threepid import ThreePid, parse_threepid

Target = Callable[[bytes], None]

_SERVER = "https://id.example.org"
_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"
_ASKED = Batch([b"a@example.org", b"b@example.org"], [b"44123"])


def _every_endpoint() -> list[type[Endpoint[Any]]]:
    names = [module.name for module in pkgutil.iter_modules(endpoints.__path__)]
    modules = [importlib.import_module(f"{endpoints.__name__}.{name}") for name in names]
    return [
        value
        for module in modules
        for _, value in sorted(vars(module).items())
        if isinstance(value, type)
        and issubclass(value, Endpoint)
        and value.__module__ == module.__name__
    ]


ENDPOINTS = _every_endpoint()


def base_url(data: bytes) -> None:
    """An accepted base URL is in normal form, and every parser reads it alike."""
    try:
        parsed = parse_base_url(_text(data))
    except InvalidBaseUrl:
        return
    assert parse_base_url(str(parsed)) == parsed
    assert URL(str(parsed)).raw_host == parsed.host
    assert str(parsed).isascii()


def json_body(data: bytes) -> None:
    """What is accepted means the same to Python's own decoder, and can be written again."""
    try:
        value = strict_json.loads(data)
    except strict_json.NotJson:
        return
    assert value == json.loads(data)
    assert value == json.loads(json.dumps(value, allow_nan=False))


def reply(data: bytes) -> None:
    """A reply to the endpoint that the first byte names is read or is a bad reply."""
    endpoint = ENDPOINTS[data[0] % len(ENDPOINTS)] if data else ENDPOINTS[0]
    _read(endpoint, data[1:])


def account_data(data: bytes) -> None:
    """Any content means one of the four things, and only without the key it means "not set"."""
    value = _json(data)
    known = read_content(value)
    assert isinstance(known, NotSet | Disabled | Chosen | Unusable)
    missing = isinstance(value, dict) and "base_url" not in value
    assert isinstance(known, NotSet) == missing
    null = isinstance(value, dict) and value.get("base_url", 0) is None
    assert isinstance(known, Disabled) == null
    accepted = read_accepted_terms(value)
    assert read_accepted_terms(with_accepted_terms(value, ["x"])) in {accepted, (*accepted, "x")}


def lookup(data: bytes) -> None:
    """Hash details, a line break, mappings: who is found was asked for and is a user."""
    details, _, mappings = data.partition(b"\n")

    async def ask(endpoint: Any) -> Any:
        known = {GetHashDetails: details}
        return _reply_or_refusal(endpoint, known.get(type(endpoint), mappings))

    work = Lookup(ask, Peppers(ask, _SERVER), allow_plaintext=True)
    try:
        found = asyncio.run(work.find(_ASKED))
    except IdentityServerError:
        return
    for threepid, user in found:
        assert threepid.address.encode() in {*_ASKED.emails, *_ASKED.msisdns}
        assert is_user_id(user)


def terms(data: bytes) -> None:
    """What is offered is few, short and https."""
    read = _read(GetTerms, data)
    for policy in () if read is None else read.offered:
        for document in policy.documents.values():
            assert document.url.lower().startswith("https://")
            assert document.url.isascii()
            assert document.url.isprintable()
            assert URL(document.url).host


def invite_link(data: bytes) -> None:
    """A link has an https server, a token and a key, or is refused."""
    try:
        link = InviteLink.parse(_text(data))
    except ValueError as error:
        _check_own(error, ValueError)
        return
    assert link.base_url.scheme == "https"
    assert link.room_name.isprintable()
    assert link.inviter_name.isprintable()


def pending_validation(data: bytes) -> None:
    """What is read can be written and read again."""
    try:
        validation = PendingValidation.from_json(_text(data))
    except ValueError as error:
        _check_own(error, ValueError)
        return
    assert PendingValidation.from_json(validation.to_json()) == validation


def address(data: bytes) -> None:
    """An accepted address is in canonical form."""
    try:
        threepid = parse_threepid(_text(data))
    except InvalidAddress:
        return
    assert ThreePid(threepid.medium, threepid.address) == threepid
    assert (
        parse_threepid(("+" if threepid.medium == "msisdn" else "") + threepid.address) == threepid
    )


def sync_filter(data: bytes) -> None:
    """Any query and any filter is judged."""
    text = _text(data)
    assert may_hide(text) in {True, False}
    request = SyncRequest.from_query(text)
    assert request.proves_absence <= request.shows_changes


def well_known(data: bytes) -> None:
    """Where it redirects, a line break, the document: a default with https, or a reason."""
    location, _, body = data.partition(b"\n")
    pages = [_Page(302, b"", _text(location)), _Page(200, body)]

    async def fetch(url: URL, *, trusted: bool) -> _Page:
        assert url.scheme == "https"
        assert trusted == (len(pages) == len(("redirect", "document")))
        return pages.pop(0) if pages else _Page(404, b"")

    found = _at_once(find_default("@alice:example.org", fetch))
    assert (found.base_url is None) == found.reason.startswith(".well-known/matrix/client of ")
    assert found.base_url is None or found.base_url.scheme == "https"


def refusal(data: bytes) -> None:
    """``Retry-After``, a line break, the body of a refusal: all of it is fit to be shown."""
    header, _, body = data.partition(b"\n")
    answer = Answer(429, body, retry_after_header=_text(header))
    assert answer.errcode.isascii()
    assert answer.message.isprintable()
    assert answer.retry_after is None or answer.retry_after >= 0
    assert answer.owner is None or is_user_id(answer.owner)


def signed_object(data: bytes) -> None:
    """Nothing that a server says is signed by a key that has not signed it."""
    value = _json(data)
    if not isinstance(value, dict):
        return
    assert not is_signed_by(value, _KEY)
    try:
        text = canonical_json(value)
    except NotSignable:
        return
    assert canonical_json(json.loads(text)) == text


def room_state(data: bytes) -> None:
    """Any state of a room tells of invitations, or is a bad reply."""

    async def ask(endpoint: Any) -> Any:
        return _reply_or_refusal(endpoint, data)

    try:
        invites = _at_once(pending_invites(ask, "!room:example.org"))
    except _Refused:
        return
    for invite in invites:
        assert isinstance(invite.display_name, str)
        assert all(isinstance(key, str) for key in invite.public_keys)


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        *(account_data, address, base_url, invite_link, json_body, lookup, pending_validation),
        *(refusal, reply, room_state, signed_object, sync_filter, terms, well_known),
    )
}


@attrs.frozen
class _Page:
    status: int
    body: bytes
    location: str | None = None


class _Refused(IdentityServerError):
    """Stands for what the client makes of a bad reply."""


def _reply_or_refusal(endpoint: Endpoint[Any], data: bytes) -> Any:
    read = _read(type(endpoint), data)
    if read is None:
        raise _Refused
    return read


def _read(endpoint: type[Endpoint[Any]], data: bytes) -> Any:
    """Decode a reply; None if it is bad."""
    try:
        # Replies are read without the fields of the request.
        return object.__new__(endpoint).read(data)
    except BadReply as error:
        _check_own(error, BadReply)
        return None


def _check_own(error: ValueError, kind: type[ValueError]) -> None:
    """Make sure that it is no subclass of somebody else's, and that nothing hangs on it."""
    assert type(error) is kind
    assert error.__cause__ is None
    assert error.__context__ is None


def _at_once(work: Any) -> Any:
    """Await a flow that never waits, a hundred times as fast as in an event loop."""
    try:
        work.send(None)
    except StopIteration as ended:
        return ended.value
    raise AssertionError("it waits")


def _json(data: bytes) -> Any:
    """Whatever a lenient decoder makes of the bytes, as nio's does; the text itself if nothing."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return _text(data)


def _text(data: bytes) -> str:
    """Any text, halves of surrogate pairs included."""
    return data.decode("utf-8", "surrogateescape")
