from __future__ import annotations

from typing import Any

import pytest

from nio_identity_server.endpoint import BadReply
from nio_identity_server.endpoints.validation import (
    EmailRequestToken,
    EmailSubmitTokenGet,
    EmailSubmitTokenPost,
    MsisdnRequestToken,
    MsisdnSubmitTokenGet,
    MsisdnSubmitTokenPost,
    Session,
    Submission,
)

SUBMITTED = {"sid": "1234", "client_secret": "monkeys_are_GREAT", "token": "atoken"}
LINK = "https://example.org/congratulations.html"
EMAIL: dict[str, Any] = {
    "client_secret": "monkeys_are_GREAT",
    "email": "alice@example.org",
    "send_attempt": 1,
    "next_link": LINK,
}
PHONE: dict[str, Any] = {
    "client_secret": "monkeys_are_GREAT",
    "country": "GB",
    "phone_number": "07700900001",
    "send_attempt": 1,
    "next_link": LINK,
}
# The specification's own: endpoint, request, reply, what the reply means.
EXAMPLES: list[tuple[Any, Any, Any, Any]] = [
    (EmailRequestToken(**EMAIL), EMAIL, {"sid": "123abc"}, Session("123abc")),
    (EmailSubmitTokenPost(**SUBMITTED), SUBMITTED, {"success": True}, Submission(success=True)),
    (MsisdnRequestToken(**PHONE), PHONE, {"sid": "123abc"}, Session("123abc")),
    (MsisdnSubmitTokenPost(**SUBMITTED), SUBMITTED, {"success": True}, Submission(success=True)),
]
REQUESTS = [(EmailRequestToken, EMAIL), (MsisdnRequestToken, PHONE)]
SUBMITS = [EmailSubmitTokenPost, EmailSubmitTokenGet, MsisdnSubmitTokenPost, MsisdnSubmitTokenGet]
BAD = ["", "a" * 256, "a b", "hunter2\n", "h\u00e9", "a/b", "a&b", "a%"]


@pytest.mark.parametrize(("cls", "fields"), REQUESTS)
def test_a_link_that_is_not_there_is_left_out(cls: Any, fields: dict[str, Any]) -> None:
    """Sydent answers 500 to a null, so the key is not sent."""
    without = {name: value for name, value in fields.items() if name != "next_link"}

    assert without == cls(**without).body


@pytest.mark.parametrize("bad", BAD)
def test_session_ids_of_a_server_have_a_grammar(bad: str) -> None:
    """A session id that the specification does not allow is a bad reply and is not repeated."""
    with pytest.raises(ValueError, match=r"^sid is not 1 to 255 characters of 0-9a-zA-Z.=_-"):
        Session(bad)
    with pytest.raises(BadReply, match=r"sid is not 1 to 255 characters") as caught:
        EmailRequestToken(**EMAIL).read(b'{"sid": "hunter2 \\n"}')
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(("cls", "fields"), REQUESTS)
def test_secrets_have_a_grammar(cls: Any, fields: dict[str, Any], bad: str) -> None:
    """A secret that the specification does not allow cannot be sent, and is not repeated."""
    with pytest.raises(
        ValueError, match=r"^client_secret is not 1 to 255 characters of "
    ) as caught:
        cls(**fields | {"client_secret": bad})
    assert not bad or bad not in str(caught.value)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", ["sid", "client_secret"])
@pytest.mark.parametrize("cls", SUBMITS)
def test_sessions_have_a_grammar(cls: Any, name: str, bad: str) -> None:
    """The same holds where a token is submitted."""
    with pytest.raises(ValueError, match=rf"^{name} is not 1 to 255 characters of "):
        cls(**SUBMITTED | {name: bad})


@pytest.mark.parametrize("country", ["", "gb", "GBR", "G", "GB\n", "G1", "ÄÖ"])
def test_countries_are_two_capital_letters(country: str) -> None:
    """A country is an ISO 3166-1 alpha-2 code."""
    with pytest.raises(ValueError, match=r"^country is not two capital letters$"):
        MsisdnRequestToken(**PHONE | {"country": country})


@pytest.mark.parametrize("attempt", [0, -1, True, 1.0, "1", None])
@pytest.mark.parametrize(("cls", "fields"), REQUESTS)
def test_attempts_are_counted_from_one(cls: Any, fields: dict[str, Any], attempt: Any) -> None:
    """The number of an attempt is a positive integer."""
    with pytest.raises(ValueError, match=r"^send_attempt is not an integer from 1$"):
        cls(**fields | {"send_attempt": attempt})


@pytest.mark.parametrize("cls", SUBMITS)
@pytest.mark.parametrize("token", ["", "123 456", "a\n", "\u00fc" * 255, "\0&=%"])
def test_tokens_are_passed_on_as_they_are(cls: Any, token: str) -> None:
    """Whatever was typed is sent, up to 255 characters."""
    endpoint = cls(**SUBMITTED | {"token": token})

    assert endpoint.body in (None, SUBMITTED | {"token": token})
    assert token == endpoint.token


@pytest.mark.parametrize("cls", SUBMITS)
def test_tokens_are_not_endless(cls: Any) -> None:
    """The specification's limit for a token is 255 characters."""
    with pytest.raises(ValueError, match=r"^token is longer than 255 characters$"):
        cls(**SUBMITTED | {"token": "\u00fc" * 256})


@pytest.mark.parametrize("cls", [EmailSubmitTokenPost, MsisdnSubmitTokenPost])
def test_a_refused_token_may_come_with_200(cls: Any) -> None:
    """Sydent's refusal is a good reply that says no and why; the text is not printed."""
    reply = cls(**SUBMITTED).read(
        b'{"success": false, "errcode": "M_NO_VALID_SESSION", "error": "not hunter2"}'
    )

    assert Submission(success=False, errcode="M_NO_VALID_SESSION", error="not hunter2") == reply
    assert "hunter2" not in repr(reply)


@pytest.mark.parametrize(
    ("cls", "medium"), [(EmailSubmitTokenGet, "email"), (MsisdnSubmitTokenGet, "msisdn")]
)
def test_links_for_a_browser(cls: Any, medium: str) -> None:
    """The link has all three values in its query; its answer is a page in whatever encoding."""
    endpoint = cls("1234", "monkeys_are_GREAT", "a&b c")

    assert endpoint.target == (
        f"/_matrix/identity/v2/validate/{medium}/submitToken"
        "?sid=1234&client_secret=monkeys_are_GREAT&token=a%26b%20c"
    )
    assert endpoint.body is None
    assert endpoint.read(b"<p>Verified \xff</p>") == "<p>Verified \ufffd</p>"
    assert "monkeys" not in repr(endpoint)
