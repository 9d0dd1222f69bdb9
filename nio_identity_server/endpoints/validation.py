"""Proving that an address is the user's own.

https://spec.matrix.org/v1.16/identity-service-api/#establishing-associations
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from nio_identity_server.endpoint import Endpoint
from nio_identity_server.grammar import check_opaque

_COUNTRY = re.compile(r"[A-Z]{2}")
_LONGEST_TOKEN = 255


def _check_country(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not _COUNTRY.fullmatch(value):
        raise ValueError(f"{attribute.name} is not two capital letters")


def _check_attempt(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int or value < 1:
        raise ValueError(f"{attribute.name} is not an integer from 1")


def _check_token(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    # "Clients must pass the token through without modification": nothing else is asked of it.
    if len(value) > _LONGEST_TOKEN:
        raise ValueError(f"{attribute.name} is longer than {_LONGEST_TOKEN} characters")


def _given(endpoint: Any) -> dict[str, Any]:
    """The fields that have a value: Sydent answers 500 to ``"next_link": null``."""
    fields = attrs.asdict(endpoint, recurse=False)
    return {name: value for name, value in fields.items() if value is not None}


@attrs.frozen
class Session:
    """A validation that has begun.

    Attributes:
        sid: Its id, at this server.
    """

    sid: str = attrs.field(validator=check_opaque)


@attrs.frozen
class Submission:
    """What became of a token that was submitted.

    Sydent reports a wrong token for an email with HTTP 200, and then says why; it swaps the codes:
    a wrong token is ``M_NO_VALID_SESSION``, an unknown session ``M_INVALID_PARAM``.

    Attributes:
        success: Whether the address is the user's now.
        errcode: Why not.
        error: The same for people.
    """

    success: bool
    errcode: str = ""
    error: str = attrs.field(default="", repr=False)


@attrs.frozen
class EmailRequestToken(Endpoint[Session]):
    """POST /_matrix/identity/v2/validate/email/requestToken: have a token sent by mail.

    Sydent sends another mail even if ``send_attempt`` has not grown, and takes an address without
    an ``@``.

    https://spec.matrix.org/v1.16/identity-service-api/#post_matrixidentityv2validateemailrequesttoken
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/identity/v2/validate/email/requestToken"
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = Session

    client_secret: str = attrs.field(repr=False, validator=check_opaque)
    email: str = attrs.field(repr=False)
    send_attempt: int = attrs.field(validator=_check_attempt)
    next_link: str | None = attrs.field(default=None, repr=False)

    @property
    def body(self) -> Mapping[str, Any]:
        """The fields that have a value."""
        return _given(self)


@attrs.frozen
class EmailSubmitTokenPost(Endpoint[Submission]):
    """POST /_matrix/identity/v2/validate/email/submitToken: show that the mail was read.

    https://spec.matrix.org/v1.16/identity-service-api/#post_matrixidentityv2validateemailsubmittoken
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/identity/v2/validate/email/submitToken"
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = Submission

    sid: str = attrs.field(validator=check_opaque)
    client_secret: str = attrs.field(repr=False, validator=check_opaque)
    token: str = attrs.field(repr=False, validator=_check_token)

    @property
    def body(self) -> Mapping[str, Any]:
        """All fields."""
        return _given(self)


@attrs.frozen
class EmailSubmitTokenGet(Endpoint[str]):
    """GET /_matrix/identity/v2/validate/email/submitToken: the link in the mail.

    For the user's browser, which has no token: this package never sends it. The answer is a page
    for people. Sydent's is 200 even if the validation failed, or a redirect to the ``next_link``.

    https://spec.matrix.org/v1.16/identity-service-api/#get_matrixidentityv2validateemailsubmittoken
    """

    path: ClassVar[str] = (
        "/_matrix/identity/v2/validate/email/submitToken"
        "?sid={sid}&client_secret={client_secret}&token={token}"
    )
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = str

    sid: str = attrs.field(validator=check_opaque)
    client_secret: str = attrs.field(repr=False, validator=check_opaque)
    token: str = attrs.field(repr=False, validator=_check_token)

    def read(self, data: bytes) -> str:
        """Give the page, which is no JSON and proves nothing."""
        return data.decode(errors="replace")


@attrs.frozen
class MsisdnRequestToken(Endpoint[Session]):
    """POST /_matrix/identity/v2/validate/msisdn/requestToken: have a token sent by SMS.

    Sydent wants a ``country`` even for an international number, whichever it is.

    https://spec.matrix.org/v1.16/identity-service-api/#post_matrixidentityv2validatemsisdnrequesttoken
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/identity/v2/validate/msisdn/requestToken"
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = Session

    client_secret: str = attrs.field(repr=False, validator=check_opaque)
    country: str = attrs.field(validator=_check_country)
    phone_number: str = attrs.field(repr=False)
    send_attempt: int = attrs.field(validator=_check_attempt)
    next_link: str | None = attrs.field(default=None, repr=False)

    @property
    def body(self) -> Mapping[str, Any]:
        """The fields that have a value."""
        return _given(self)


@attrs.frozen
class MsisdnSubmitTokenPost(Endpoint[Submission]):
    """POST /_matrix/identity/v2/validate/msisdn/submitToken: show that the SMS was read.

    Unlike for an email, Sydent reports a wrong token with 400 or 404.

    https://spec.matrix.org/v1.16/identity-service-api/#post_matrixidentityv2validatemsisdnsubmittoken
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/identity/v2/validate/msisdn/submitToken"
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = Submission

    sid: str = attrs.field(validator=check_opaque)
    client_secret: str = attrs.field(repr=False, validator=check_opaque)
    token: str = attrs.field(repr=False, validator=_check_token)

    @property
    def body(self) -> Mapping[str, Any]:
        """All fields."""
        return _given(self)


@attrs.frozen
class MsisdnSubmitTokenGet(Endpoint[str]):
    """GET /_matrix/identity/v2/validate/msisdn/submitToken: a link in the SMS.

    For the user's browser, as :class:`EmailSubmitTokenGet` is.

    https://spec.matrix.org/v1.16/identity-service-api/#get_matrixidentityv2validatemsisdnsubmittoken
    """

    path: ClassVar[str] = (
        "/_matrix/identity/v2/validate/msisdn/submitToken"
        "?sid={sid}&client_secret={client_secret}&token={token}"
    )
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = str

    sid: str = attrs.field(validator=check_opaque)
    client_secret: str = attrs.field(repr=False, validator=check_opaque)
    token: str = attrs.field(repr=False, validator=_check_token)

    def read(self, data: bytes) -> str:
        """Give the page, which is no JSON and proves nothing."""
        return data.decode(errors="replace")
