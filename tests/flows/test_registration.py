from __future__ import annotations

import attrs
import pytest

from nio_identity_server.endpoints.account import RegisterAccount, Registration
from nio_identity_server.endpoints.discovery import Ping
from nio_identity_server.endpoints.homeserver import OpenIdToken, RequestOpenIdToken
from nio_identity_server.errors import BadResponse, MatrixError, RegistrationRefused
from nio_identity_server.flows.registration import register
from nio_identity_server.secret import Secret
from tests.flows.two_servers import SERVER, TOKEN, USER, TwoServers

PROOF = OpenIdToken("canary-openid-token", "Bearer", "example.org", 3600)
REACHABLE = "is that homeserver reachable from there?"


@attrs.define
class _Published(TwoServers):
    """The line to a server that a ``.well-known`` document names."""

    @property
    def is_published(self) -> bool:
        """The user has not chosen it."""
        return True


def _answers(registered: object) -> dict[type, object]:
    return {Ping: {}, RequestOpenIdToken: PROOF, RegisterAccount: registered}


async def test_a_fresh_proof_is_exchanged_as_it_is() -> None:
    """What the homeserver says goes to the identity server, which gives the token for it."""
    line = TwoServers(_answers(Registration(token=TOKEN)))

    assert await register(line, USER) == Secret(TOKEN)
    assert line.asked == [
        RequestOpenIdToken(USER),
        RegisterAccount("canary-openid-token", "Bearer", "example.org", 3600),
    ]
    assert line.tokens == [None]


async def test_a_published_server_is_asked_first_whether_it_is_one() -> None:
    """It hears of the user only after it has answered as an identity server does."""
    line = _Published(_answers(Registration(token=TOKEN)))

    assert await register(line, USER) == Secret(TOKEN)
    assert line.kinds == ["Ping", "RequestOpenIdToken", "RegisterAccount"]


async def test_a_published_server_that_is_none_hears_nothing_of_the_user() -> None:
    """Not even a proof is asked for."""
    line = _Published({Ping: BadResponse(SERVER, "it is a web site")})

    with pytest.raises(BadResponse, match="web site"):
        await register(line, USER)
    assert line.kinds == ["Ping"]


@pytest.mark.parametrize(
    ("status", "errcode", "hint"),
    [
        (403, "M_UNAUTHORIZED", "it does not accept users of example.org; ask its operator"),
        (500, "M_UNKNOWN", f"it could not check the user with example.org; {REACHABLE}"),
    ],
)
async def test_a_final_refusal_keeps_what_the_server_said(
    status: int, errcode: str, hint: str
) -> None:
    """It has the server's status, code and words, and what to do about it."""
    line = TwoServers(_answers(MatrixError(status, errcode, "no", SERVER)))

    with pytest.raises(RegistrationRefused) as caught:
        await register(line, USER)
    refusal = caught.value
    assert (refusal.status, refusal.errcode, refusal.server) == (status, errcode, SERVER)
    assert refusal.message == f"no ({hint})"
    assert refusal.__context__ is None


@pytest.mark.parametrize(
    ("status", "errcode"), [(403, "M_FORBIDDEN"), (401, "M_UNAUTHORIZED"), (503, "M_UNKNOWN")]
)
async def test_any_other_refusal_is_the_servers_own(status: int, errcode: str) -> None:
    """It says nothing of whether asking again helps."""
    refusal = MatrixError(status, errcode, "no", SERVER)

    with pytest.raises(MatrixError) as caught:
        await register(TwoServers(_answers(refusal)), USER)
    assert caught.value is refusal
