from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.endpoints.account import Account, GetAccount
from nio_identity_server.endpoints.homeserver_association import (
    Bind3PID,
    Unbind3pidFromAccount,
    UnbindResult,
)
from nio_identity_server.errors import (
    AddressRefused,
    CannotConnect,
    HomeserverError,
    IdentityServerChanged,
    IdentityServerError,
    MatrixError,
    NotValidated,
    OutcomeUnknown,
    RateLimited,
    SendingFailed,
    ThreePidInUse,
    UnbindNotSupported,
    ValidationExpired,
)
from nio_identity_server.flows.association import (
    ShareStatus,
    bind,
    share_statuses,
    through_homeserver,
    unbind,
)
from nio_identity_server.flows.validation import check_ours
from nio_identity_server.pending_validation import PendingValidation
from nio_identity_server.secret import Secret
from nio_identity_server.threepid import ThreePid, email, msisdn
from tests.canaries import assert_no_secret
from tests.flows.two_servers import HOMESERVER, SERVER, TOKEN, USER, Script, TwoServers

BOB = "@bob:example.org"
SECRET = "canary-secret"
MAIL, OTHER, PHONE = email("canary@example.org"), email("other@example.org"), msisdn("+4420")
VALIDATION = PendingValidation(MAIL, parse_base_url(SERVER), "sid1", SECRET, 1)


def said(status: int | None, errcode: str = "M_UNKNOWN") -> HomeserverError:
    """What a homeserver refuses."""
    return HomeserverError(status, errcode, "no", HOMESERVER)


# -- whom addresses lead to


@pytest.mark.parametrize(
    ("found", "pending", "expected"),
    [
        ({MAIL: USER}, (), ShareStatus.MINE),
        ({MAIL: USER}, (MAIL,), ShareStatus.MINE),
        ({MAIL: BOB}, (), ShareStatus.OTHER),
        ({MAIL: BOB}, (MAIL,), ShareStatus.OTHER),
        ({MAIL: USER.upper()}, (), ShareStatus.OTHER),
        ({}, (MAIL,), ShareStatus.PENDING),
        ({}, (OTHER,), ShareStatus.NOBODY),
        ({OTHER: USER}, (), ShareStatus.NOBODY),
    ],
)
def test_whom_an_address_leads_to(
    found: dict[ThreePid, str], pending: tuple[ThreePid, ...], expected: ShareStatus
) -> None:
    """What the server says goes before what was begun here."""
    assert share_statuses([MAIL], found, USER, pending) == {MAIL: expected}


def test_each_address_has_its_own_answer() -> None:
    """In the order in which they were given, each once, and nobody else's."""
    found = {PHONE: USER, OTHER: BOB, email("not@asked.example"): USER}
    statuses = share_statuses([OTHER, MAIL, PHONE, OTHER], found, USER, {MAIL})

    assert list(statuses.items()) == [
        (OTHER, ShareStatus.OTHER),
        (MAIL, ShareStatus.PENDING),
        (PHONE, ShareStatus.MINE),
    ]
    assert share_statuses([], found, USER, {MAIL}) == {}


ADDRESSES = st.sampled_from([MAIL, OTHER, PHONE])


@given(
    st.lists(ADDRESSES),
    st.dictionaries(ADDRESSES, st.sampled_from([USER, BOB])),
    st.sets(ADDRESSES),
)
def test_statuses_say_what_was_found(
    given_: list[ThreePid], found: dict[ThreePid, str], pending: set[ThreePid]
) -> None:
    """Mine or another's if and only if somebody was found."""
    statuses = share_statuses(given_, found, USER, pending)

    assert set(statuses) == set(given_)
    for threepid, status in statuses.items():
        assert (status is ShareStatus.MINE) is (found.get(threepid) == USER)
        assert (status is ShareStatus.OTHER) is (found.get(threepid) == BOB)
        assert (status is ShareStatus.PENDING) is (threepid not in found and threepid in pending)


# -- taking an address back


@pytest.mark.parametrize(
    ("url", "id_server"),
    [(SERVER, "id.example.org/path"), ("https://x.org:8443", "x.org:8443"), (None, None)],
)
async def test_the_homeserver_unbinds(url: str | None, id_server: str | None) -> None:
    """At the server that is named, by host and port; or at those that it remembers."""
    ask = Script({Unbind3pidFromAccount: UnbindResult("success")})
    await unbind(ask, MAIL, None if url is None else parse_base_url(url))

    assert ask.asked == [Unbind3pidFromAccount("email", MAIL.address, id_server)]
    assert ("id_server" in (ask.asked[0].body or {})) is (url is not None)


@pytest.mark.parametrize("word", ["no-support", "", "SUCCESS", "success ", "failed", "canary"])
@pytest.mark.parametrize("url", [SERVER, None])
async def test_only_success_is_success(word: str, url: str | None) -> None:
    """Anything else means that the address may still be found, and says where."""
    ask = Script({Unbind3pidFromAccount: UnbindResult(word)})
    with pytest.raises(UnbindNotSupported) as caught:
        await unbind(ask, MAIL, None if url is None else parse_base_url(url))

    assert caught.value.server == url
    assert (url or "an identity server") in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("error", [said(403), OutcomeUnknown(500, "M_UNKNOWN", "", HOMESERVER)])
async def test_a_homeserver_that_does_not_unbind_is_told_as_it_is(error: Exception) -> None:
    """And asked once."""
    ask = Script({Unbind3pidFromAccount: error})
    with pytest.raises(HomeserverError) as caught:
        await unbind(ask, PHONE, None)
    assert caught.value is error
    assert len(ask.asked) == 1


# -- speaking through the homeserver


async def speak(servers: TwoServers, *outcomes: Exception | None) -> list[str]:
    """Send something through the homeserver, with these outcomes; gives the tokens in it."""
    left, used = list(outcomes), list[str]()

    async def send(token: Secret) -> None:
        servers.asked.append(Bind3PID("s", "c", "x", token.reveal()))
        used.append(token.reveal())
        outcome = left.pop(0)
        if outcome is not None:
            raise outcome

    await through_homeserver(servers.session, send)
    assert left == []
    return used


async def test_token_and_terms_are_looked_at_before_the_homeserver_speaks() -> None:
    """At the identity server itself, which tells what is in the way."""
    servers = TwoServers({})
    assert await speak(servers, None) == [TOKEN]
    assert servers.kinds == ["GetAccount", "Bind3PID"]
    assert servers.sent(GetAccount) == [GetAccount()]


TROUBLE: list[IdentityServerError] = [
    CannotConnect(SERVER, "refused"),
    MatrixError(500, "M_UNKNOWN", "", SERVER),
    RateLimited(429, "M_LIMIT_EXCEEDED", "", SERVER, 1.0),
    IdentityServerChanged(SERVER, "the user chose another server"),
]


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_nothing_is_sent_if_the_identity_server_is_in_trouble(
    trouble: IdentityServerError,
) -> None:
    """The trouble is told as it is."""
    servers = TwoServers({GetAccount: trouble})
    with pytest.raises(type(trouble)) as caught:
        await speak(servers)
    assert caught.value is trouble
    assert servers.kinds == ["GetAccount"]


@pytest.mark.parametrize(
    ("errcode", "kind"),
    [
        ("M_SESSION_NOT_VALIDATED", NotValidated),
        ("M_NO_VALID_SESSION", ValidationExpired),
        ("M_SESSION_EXPIRED", ValidationExpired),
        ("M_THREEPID_IN_USE", ThreePidInUse),
        ("M_EMAIL_SEND_ERROR", SendingFailed),
        ("M_INVALID_EMAIL", AddressRefused),
    ],
)
async def test_what_the_identity_server_refused_is_told_as_its_refusal(
    errcode: str, kind: type[MatrixError]
) -> None:
    """With its name; the homeserver's error does not hang on it."""
    with pytest.raises(MatrixError) as caught:
        await speak(TwoServers({}), said(400, errcode))

    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.errcode) == (400, errcode)
    assert caught.value.server == SERVER
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize(
    "error",
    [
        said(403, "M_FORBIDDEN"),
        said(400, "M_UNKNOWN"),
        said(429, "M_LIMIT_EXCEEDED"),
        said(None),
        said(None, "M_SESSION_NOT_VALIDATED"),
        OutcomeUnknown(500, "M_UNKNOWN", "", HOMESERVER),
        OutcomeUnknown(500, "M_SESSION_NOT_VALIDATED", "", HOMESERVER),
        OutcomeUnknown(None, "M_UNKNOWN", "", HOMESERVER),
    ],
)
async def test_what_the_homeserver_says_itself_is_told_as_it_is(error: HomeserverError) -> None:
    """Also an end that nobody knows, and it is not tried again."""
    servers = TwoServers({})
    with pytest.raises(HomeserverError) as caught:
        await speak(servers, error)
    assert caught.value is error
    assert len(servers.sent(Bind3PID)) == 1


async def test_other_trouble_on_the_way_is_told_as_it_is() -> None:
    """The user chose another server meanwhile."""
    changed = IdentityServerChanged(SERVER, "the user chose another server")
    with pytest.raises(IdentityServerChanged) as caught:
        await speak(TwoServers({}), changed)
    assert caught.value is changed


# -- binding


async def test_a_validated_address_is_bound_through_the_homeserver() -> None:
    """With the validation's proof, the server without its scheme, and the token there."""
    servers = TwoServers({Bind3PID: {}})
    await bind(servers.session, VALIDATION)
    assert servers.sent(Bind3PID) == [Bind3PID("sid1", SECRET, "id.example.org/path", TOKEN)]
    assert servers.kinds == ["GetAccount", "Bind3PID"]


async def test_what_was_validated_elsewhere_is_not_used_here() -> None:
    """Nothing is sent: neither server has to learn the other's secret."""
    servers = TwoServers({}, server="https://other.example")
    with pytest.raises(IdentityServerChanged, match="another server") as caught:
        await check_ours(servers.session, VALIDATION)
    assert caught.value.server == SERVER
    assert servers.asked == []


@pytest.mark.parametrize("errcode", ["M_SESSION_NOT_VALIDATED", "M_UNKNOWN"])
async def test_a_refused_bind_shows_no_secret(errcode: str) -> None:
    """Neither the validation's nor the token, not even in the frames that it came through."""
    servers = TwoServers({Bind3PID: said(400, errcode)})
    with pytest.raises(IdentityServerError) as caught:
        await bind(servers.session, VALIDATION)
    assert_no_secret(_from_the_flow(caught.value), [TOKEN, SECRET, MAIL.address])


def _from_the_flow(error: BaseException) -> BaseException:
    """The exception without the frames of this test, whose variables hold what was sent."""
    trace = error.__traceback__
    assert trace is not None
    while trace.tb_frame.f_code is not bind.__code__:
        assert trace.tb_next is not None
        trace = trace.tb_next
    return error.with_traceback(trace)


async def test_an_account_is_only_looked_at() -> None:
    """Whose it is was made sure of when the token was got."""
    servers = TwoServers({GetAccount: Account(BOB)})
    assert await speak(servers, None) == [TOKEN]


def test_the_words_for_a_status_are_what_programs_store() -> None:
    """They are part of the interface."""
    words: dict[str, Any] = {each.name: each.value for each in ShareStatus}
    assert words == {"MINE": "mine", "OTHER": "other", "PENDING": "pending", "NOBODY": "nobody"}
