from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from nio_identity_server.endpoint import Endpoint
from nio_identity_server.endpoints.account import Account, GetAccount
from nio_identity_server.endpoints.homeserver_room import InviteBy3PID, InviteUser
from nio_identity_server.endpoints.invitation import InviteKey, StoredInvite, StoreInvite
from nio_identity_server.endpoints.terms import Policy
from nio_identity_server.errors import (
    AddressRefused,
    BadResponse,
    CannotConnect,
    HomeserverError,
    IdentityDisabled,
    IdentityServerChanged,
    IdentityServerError,
    InvalidAddress,
    MatrixError,
    NotConfirmed,
    OutcomeUnknown,
    RateLimited,
    RegistrationRefused,
    SendingFailed,
    TermsNotSigned,
    ThreePidInUse,
)
from nio_identity_server.flows.invitation import (
    NO_MAIL,
    InviteReport,
    invite,
    invite_all,
    store_invite,
)
from nio_identity_server.threepid import ThreePid, email, msisdn
from tests.canaries import assert_no_secret
from tests.flows.two_servers import HOMESERVER, SERVER, TOKEN, USER, TwoServers

ROOM = "!abc:example.org"
BOB, CAROL = "@bob:example.org", "@carol:example.org"
ONE, TWO, THREE, FOUR = (email(f"canary{number}@example.org") for number in range(4))
PHONE = msisdn("+4420")
FAILED = OutcomeUnknown(500, "M_UNKNOWN", "Internal server error", HOMESERVER)
CHANGED = IdentityServerChanged(SERVER, "the user chose another server")
TERMS = TermsNotSigned([Policy("privacy", "1", {})], SERVER)
LIMITED = RateLimited(429, "M_LIMIT_EXCEEDED", "", SERVER, 1.0)


def said(status: int | None, errcode: str = "M_UNKNOWN") -> HomeserverError:
    """What a homeserver refuses."""
    return HomeserverError(status, errcode, "no", HOMESERVER)


def by_mail(threepid: ThreePid) -> InviteBy3PID:
    """The request that invites by email."""
    return InviteBy3PID(ROOM, "id.example.org/path", TOKEN, threepid.medium, threepid.address)


def servers(
    outcomes: dict[ThreePid | str, Exception] | None = None, account: Any = None
) -> TwoServers:
    """Servers that invite everybody, but for some addresses and user IDs."""
    left = outcomes or {}

    def answer(endpoint: Endpoint[Any]) -> Any:
        if isinstance(endpoint, InviteUser):
            return left.get(endpoint.user_id, {})
        assert isinstance(endpoint, InviteBy3PID)
        return left.get(email(endpoint.address), {})

    return TwoServers(
        {InviteUser: answer, InviteBy3PID: answer, GetAccount: account or Account(USER)}
    )


async def report_of(
    it: TwoServers, *threepids: ThreePid, found: dict[ThreePid, str] | None = None
) -> InviteReport:
    """What becomes of inviting these."""
    return await invite_all(it.session, ROOM, threepids, found or {})


# -- one person


async def test_who_is_found_is_invited_by_user_id() -> None:
    """The identity server is not needed for it, nor told."""
    it = servers()
    await invite(it.session, ROOM, ONE, BOB)
    await invite(it.session, ROOM, PHONE, CAROL)
    assert it.asked == [InviteUser(ROOM, BOB), InviteUser(ROOM, CAROL)]


async def test_who_is_not_found_is_invited_by_email() -> None:
    """By the homeserver, with the user's token; after a look whether that is in order."""
    it = servers()
    await invite(it.session, ROOM, ONE, None)
    assert it.asked == [GetAccount(), by_mail(ONE)]


async def test_a_server_is_named_in_its_normal_form_without_scheme() -> None:
    """As homeservers take it."""
    it = servers()
    it.server = "https://id.example.org:8443"
    await invite(it.session, ROOM, ONE, None)
    assert it.asked[-1].body == {
        "id_server": "id.example.org:8443",
        "id_access_token": TOKEN,
        "medium": "email",
        "address": ONE.address,
    }


async def test_a_phone_number_of_nobody_cannot_be_invited() -> None:
    """No identity server keeps such an invitation; nothing is sent."""
    it = servers()
    with pytest.raises(InvalidAddress, match="keeps an invitation for a phone number") as caught:
        await invite(it.session, ROOM, PHONE, None)
    assert caught.value.reason == NO_MAIL
    assert it.asked == []


@pytest.mark.parametrize("errcode", ["M_EMAIL_SEND_ERROR", "M_THREEPID_IN_USE", "M_INVALID_EMAIL"])
async def test_what_the_identity_server_refused_is_told_as_its_refusal(errcode: str) -> None:
    """If the homeserver passes it on."""
    with pytest.raises((SendingFailed, ThreePidInUse, AddressRefused)) as caught:
        await invite(servers({ONE: said(400, errcode)}).session, ROOM, ONE, None)
    assert caught.value.server == SERVER


# -- many


async def test_all_are_invited_who_can_be() -> None:
    """Those who were found by user ID, the others by email, in the order of the list."""
    it = servers()
    found = {TWO: BOB, PHONE: CAROL}
    report = await report_of(it, ONE, TWO, PHONE, THREE, found=found)

    assert report == InviteReport({TWO: BOB, PHONE: CAROL}, (ONE, THREE))
    assert (report.failed, report.left, report.stopped, report.missing) == ({}, (), None, {})
    assert it.kinds == [
        *("GetAccount", "InviteBy3PID"),
        *("InviteUser", "InviteUser"),
        *("GetAccount", "InviteBy3PID"),
    ]
    assert it.sent(InviteBy3PID) == [by_mail(ONE), by_mail(THREE)]
    assert it.sent(InviteUser) == [InviteUser(ROOM, BOB), InviteUser(ROOM, CAROL)]


async def test_nobody_is_invited_twice() -> None:
    """However often somebody is given, and in whatever spelling."""
    it = servers()
    given_ = [ONE, email("Canary0@Example.org"), TWO, ONE, TWO, TWO]
    report = await invite_all(it.session, ROOM, given_, {TWO: BOB})

    assert report == InviteReport({TWO: BOB}, (ONE,))
    assert it.sent(InviteBy3PID) == [by_mail(ONE)]
    assert it.sent(InviteUser) == [InviteUser(ROOM, BOB)]


async def test_who_failed_is_not_tried_again() -> None:
    """Though given twice."""
    it = servers({ONE: said(403)})
    report = await report_of(it, ONE, TWO, ONE)
    assert list(report.failed) == [ONE]
    assert it.sent(InviteBy3PID) == [by_mail(ONE), by_mail(TWO)]


async def test_nobody_to_invite() -> None:
    """Nothing is sent."""
    it = servers()
    assert await report_of(it) == InviteReport()
    assert it.asked == []


async def test_who_is_found_but_was_not_given_is_not_invited() -> None:
    """The list says whom to invite, the lookup only who they are."""
    it = servers()
    assert await report_of(it, ONE, found={TWO: BOB}) == InviteReport(mailed=(ONE,))
    assert it.sent(InviteUser) == []


# -- what is wrong with one address


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (said(400, "M_THREEPID_IN_USE"), ThreePidInUse),
        (said(400, "M_EMAIL_SEND_ERROR"), SendingFailed),
        (said(400, "M_INVALID_EMAIL"), AddressRefused),
        (said(403, "M_FORBIDDEN"), HomeserverError),
        (said(400, "M_UNKNOWN"), HomeserverError),
        (said(404, "M_NOT_FOUND"), HomeserverError),
        (said(500, "M_UNKNOWN"), HomeserverError),
        (FAILED, OutcomeUnknown),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_one_who_cannot_be_invited_does_not_keep_the_others_from_it(
    error: HomeserverError, kind: type[Exception], place: int
) -> None:
    """Wherever in the list; it is told why."""
    given_ = [ONE, TWO, THREE]
    bad = given_[place]
    report = await report_of(servers({bad: error}), *given_)

    assert report.mailed == tuple(each for each in given_ if each != bad)
    assert list(report.failed) == [bad]
    assert type(report.failed[bad]) is kind
    assert (report.left, report.stopped) == ((), None)
    assert report.missing == report.failed


async def test_a_phone_number_of_nobody_does_not_keep_the_others_from_it() -> None:
    """It is the only one that failed, and no server was asked about it."""
    it = servers()
    report = await report_of(it, PHONE, ONE)

    assert report.mailed == (ONE,)
    assert list(report.failed) == [PHONE]
    assert isinstance(report.failed[PHONE], InvalidAddress)
    assert it.asked == [GetAccount(), by_mail(ONE)]


async def test_a_user_who_cannot_be_invited_does_not_keep_the_others_from_it() -> None:
    """They may be in the room already; the identity server has nothing to do with it."""
    refused = said(403, "M_FORBIDDEN")
    it = servers({BOB: refused})
    report = await report_of(it, ONE, TWO, found={ONE: BOB})

    assert it.asked == [InviteUser(ROOM, BOB), GetAccount(), by_mail(TWO)]

    assert report == InviteReport(mailed=(TWO,), failed={ONE: refused})
    assert report.failed[ONE] is refused


async def test_each_has_their_own_reason() -> None:
    """Several may fail, and each is told once."""
    first, second = said(403, "M_FORBIDDEN"), said(400, "M_INVALID_EMAIL")
    report = await report_of(servers({ONE: first, THREE: second}), ONE, TWO, THREE, FOUR)

    assert report.failed[ONE] is first
    assert isinstance(report.failed[THREE], AddressRefused)
    assert report.mailed == (TWO, FOUR)


@pytest.mark.parametrize("error", [FAILED, said(500), said(502), said(403, "M_FORBIDDEN")])
async def test_a_failure_that_may_have_two_reasons_has_the_identity_server_looked_at(
    error: HomeserverError,
) -> None:
    """Once, and only after it: Synapse says 500 to a bad address and to a server that is down."""
    it = servers({ONE: error})
    report = await report_of(it, ONE, TWO)

    assert report == InviteReport(mailed=(TWO,), failed={ONE: error})
    assert it.kinds == [
        *("GetAccount", "InviteBy3PID", "GetAccount"),
        *("GetAccount", "InviteBy3PID"),
    ]


# -- what is wrong with everything


@pytest.mark.parametrize(
    "trouble",
    [
        CannotConnect(SERVER, "refused"),
        MatrixError(503, "M_UNKNOWN", "", SERVER),
        MatrixError(500, "M_UNKNOWN", "", SERVER),
        BadResponse(SERVER, "the body is not JSON", 200),
        LIMITED,
        CHANGED,
        IdentityDisabled("the user chose null"),
        NotConfirmed("GET answered 502"),
    ],
)
async def test_a_failure_that_is_the_identity_servers_stops_everything(
    trouble: IdentityServerError,
) -> None:
    """The address that met it may have been invited, and is not left with the rest."""
    it = servers({TWO: FAILED}, account=[Account(USER), Account(USER), trouble])
    report = await report_of(it, ONE, TWO, THREE, FOUR)

    assert report == InviteReport(
        mailed=(ONE,), failed={TWO: FAILED}, left=(THREE, FOUR), stopped=trouble
    )
    assert report.stopped is trouble
    assert it.sent(InviteBy3PID) == [by_mail(ONE), by_mail(TWO)]


STOPPING = [said(429, "M_LIMIT_EXCEEDED"), said(None), said(401, "M_UNKNOWN_TOKEN")]
SILENT = OutcomeUnknown(None, "M_UNKNOWN", "no answer", HOMESERVER)


@pytest.mark.parametrize("found", [{}, {TWO: BOB}])
async def test_who_may_have_been_invited_is_not_left(found: dict[ThreePid, str]) -> None:
    """Or else trying the rest again would send a second mail."""
    report = await report_of(servers({TWO: SILENT, BOB: SILENT}), ONE, TWO, THREE, found=found)

    assert report == InviteReport(
        mailed=(ONE,), failed={TWO: SILENT}, left=(THREE,), stopped=SILENT
    )


async def test_who_is_not_welcome_to_invite_stops_soon() -> None:
    """One may be refused for who they are; a second in a row says that it is the inviter."""
    refused = said(403, "M_FORBIDDEN")
    it = servers(dict.fromkeys([ONE, TWO, FOUR], refused))
    report = await report_of(it, ONE, TWO, THREE)
    assert (list(report.failed), report.left, report.stopped) == ([ONE], (TWO, THREE), refused)

    report = await report_of(it, ONE, THREE, TWO, THREE, FOUR)
    assert (report.left, report.stopped) == ((FOUR,), refused)

    others = servers({BOB: refused, CAROL: refused})  # are in the room already
    report = await report_of(others, ONE, TWO, THREE, found={ONE: BOB, TWO: CAROL})
    assert report == InviteReport(mailed=(THREE,), failed={ONE: refused, TWO: refused})


@pytest.mark.parametrize("error", STOPPING)
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_homeserver_that_asks_for_patience_or_is_silent_stops_everything(
    error: HomeserverError, place: int
) -> None:
    """The identity server is not asked about it; who was not tried is told."""
    given_ = [ONE, TWO, THREE]
    it = servers({given_[place]: error})
    report = await report_of(it, *given_)

    assert report.mailed == tuple(given_[:place])
    assert report.left == tuple(given_[place:])
    assert report.stopped is error
    assert report.failed == {}
    assert it.asked[-1] == by_mail(given_[place])
    assert report.missing == dict.fromkeys(given_[place:], error)


@pytest.mark.parametrize("error", STOPPING)
async def test_it_stops_for_invitations_by_user_id_too(error: HomeserverError) -> None:
    """It is the same homeserver."""
    it = servers({BOB: error})
    report = await report_of(it, ONE, TWO, THREE, found={ONE: CAROL, TWO: BOB})

    assert report == InviteReport({ONE: CAROL}, left=(TWO, THREE), stopped=error)
    assert it.asked == [InviteUser(ROOM, CAROL), InviteUser(ROOM, BOB)]


@pytest.mark.parametrize(
    "trouble",
    [
        LIMITED,
        CHANGED,
        TERMS,
        MatrixError(503, "M_UNKNOWN", "", SERVER),
        RegistrationRefused(403, "M_UNAUTHORIZED", "", SERVER),
        CannotConnect(SERVER, "refused"),
        BadResponse(SERVER, "the body is not JSON", 200),
        IdentityDisabled("the user chose null"),
        NotConfirmed("GET answered 502"),
    ],
)
async def test_trouble_with_the_identity_server_stops_before_the_homeserver_speaks(
    trouble: IdentityServerError,
) -> None:
    """It would be the same for every address, so none is failed for it."""
    it = servers(account=[Account(USER), trouble])
    report = await report_of(it, PHONE, ONE, TWO, THREE)

    assert report.mailed == (ONE,)
    # Of a change nobody knows whether it came before or after the homeserver was asked.
    perhaps = [TWO] if trouble is CHANGED else []
    assert list(report.failed) == [PHONE, *perhaps]
    assert (report.left, report.stopped) == ((TWO, THREE)[len(perhaps) :], trouble)
    assert it.sent(InviteBy3PID) == [by_mail(ONE)]


@pytest.mark.parametrize("trouble", [LIMITED, CHANGED, TERMS])
async def test_trouble_that_comes_while_the_homeserver_is_asked_stops_too(
    trouble: IdentityServerError,
) -> None:
    """Wherever it comes from."""
    report = await report_of(servers({TWO: trouble}), ONE, TWO, THREE)
    failed = {TWO: trouble} if trouble is CHANGED else {}
    left = (THREE,) if failed else (TWO, THREE)
    assert report == InviteReport(mailed=(ONE,), failed=failed, left=left, stopped=trouble)


async def test_patience_that_the_identity_server_asks_for_through_the_homeserver_stops() -> None:
    """It is no refusal of the address, though told with the code of one."""
    report = await report_of(servers({ONE: said(429, "M_SEND_ERROR")}), ONE, TWO)
    assert isinstance(report.stopped, RateLimited)
    assert report.left == (ONE, TWO)


async def test_who_failed_and_who_was_left_are_both_missing() -> None:
    """Each with the reason that keeps them out."""
    refused, limited = said(403, "M_FORBIDDEN"), said(429)
    report = await report_of(servers({ONE: refused, THREE: limited}), ONE, TWO, THREE, FOUR)

    assert report.missing == {ONE: refused, THREE: limited, FOUR: limited}
    assert (report.failed, report.mailed) == ({ONE: refused}, (TWO,))


async def test_a_mistake_of_the_program_is_not_swallowed() -> None:
    """Only what this package raises on purpose is reported."""
    with pytest.raises(ZeroDivisionError):
        await report_of(servers({ONE: ZeroDivisionError()}), ONE)


OUTCOMES: list[Callable[[], Exception | None]] = [
    lambda: None,
    lambda: None,
    lambda: None,
    lambda: said(403),
    lambda: FAILED,
    lambda: said(429),
    lambda: CHANGED,
]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=15),
    st.lists(st.sampled_from(OUTCOMES), min_size=10, max_size=10),
)
async def test_everybody_is_accounted_for_exactly_once(
    people: list[tuple[int, bool]], outcomes: list[Callable[[], Exception | None]]
) -> None:
    """As invited, mailed, failed or left; nobody is tried twice, or after what stopped it."""
    found_or_not = dict(people)
    given_ = [email(f"p{number}@example.org") for number, _ in people]
    found = {
        email(f"p{number}@example.org"): f"@p{number}:example.org"
        for number, is_found in found_or_not.items()
        if is_found
    }
    results: dict[ThreePid | str, Exception] = {}
    for number, outcome in enumerate(outcomes):
        error = outcome()
        if error is not None:
            results |= dict.fromkeys(
                (email(f"p{number}@example.org"), f"@p{number}:example.org"), error
            )
    it = servers(results)
    report = await report_of(it, *given_, found=found)

    told = [*report.invited, *report.mailed, *report.failed, *report.left]
    assert set(told) == set(given_)
    assert len(told) == len(set(told))
    assert set(report.left) | set(report.failed) == set(report.missing)
    tried = [*it.sent(InviteUser), *it.sent(InviteBy3PID)]
    # The first of those who are left was tried, if it certainly was not invited.
    refused = report.stopped is not None and report.stopped not in report.failed.values()
    assert len(tried) == len(set(given_)) - len(report.left) + refused
    assert report.invited == {key: found[key] for key in report.invited}
    assert not set(report.mailed) & set(found)
    assert report.stopped is not None or not report.left


async def test_a_report_shows_nobody() -> None:
    """Neither addresses nor the token; user IDs and reasons are for people to see."""
    report = await report_of(
        servers({TWO: said(403), THREE: said(429)}), PHONE, ONE, TWO, THREE, found={ONE: BOB}
    )
    shown = f"{report} {report!r} {report.missing!r}"
    assert "canary" not in shown
    assert "4420" not in shown
    assert BOB in shown


async def test_what_stopped_shows_neither_token_nor_address() -> None:
    """Also in the frames that it came through, as far as they are the package's."""
    it = servers({ONE: said(429)})
    stopped = (await report_of(it, ONE)).stopped
    assert stopped is not None
    assert_no_secret(stopped, [TOKEN, ONE.address])


# -- keeping an invitation, without a room being told


STORED = StoredInvite("tok", "can...@exa...", (InviteKey("k", "https://x"),))


async def test_the_identity_server_keeps_an_invitation() -> None:
    """It is told who invites whom where; the homeserver is not asked."""
    it = TwoServers({StoreInvite: STORED})
    assert await store_invite(it.session, ROOM, ONE, USER) is STORED
    assert it.asked == [StoreInvite(ONE.address, ROOM, USER)]
    assert [token.reveal() for token in it.tokens if token] == [TOKEN]


async def test_it_keeps_none_for_a_phone_number() -> None:
    """Nothing is sent."""
    it = TwoServers({StoreInvite: STORED})
    with pytest.raises(InvalidAddress, match="keeps an invitation for a phone number"):
        await store_invite(it.session, ROOM, PHONE, USER)
    assert it.asked == []


async def test_it_keeps_none_for_who_is_there_already() -> None:
    """The refusal says whom to invite instead, and is not tried again."""
    refused = ThreePidInUse(400, "M_THREEPID_IN_USE", "", SERVER)
    it = TwoServers({StoreInvite: refused})
    with pytest.raises(ThreePidInUse) as caught:
        await store_invite(it.session, ROOM, ONE, USER)
    assert caught.value is refused
    assert len(it.asked) == 1
