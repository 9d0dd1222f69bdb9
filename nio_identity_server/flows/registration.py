"""Registering a user: a fresh OpenID token is exchanged for one of the identity server.

https://spec.matrix.org/v1.16/identity-service-api/#post_matrixidentityv2accountregister
"""

from __future__ import annotations

from http import HTTPStatus

from nio_identity_server.endpoints.account import RegisterAccount
from nio_identity_server.endpoints.discovery import Ping
from nio_identity_server.endpoints.homeserver import OpenIdToken, RequestOpenIdToken
from nio_identity_server.errors import MatrixError, RegistrationRefused
from nio_identity_server.flows.line import Line
from nio_identity_server.secret import Secret


async def register(line: Line, user_id: str) -> Secret:
    """Register, and give the token.

    An OpenID token has no audience: whoever holds it can register as the user anywhere. So it is
    fetched freshly, used once and forgotten. And a server that a document has published is asked
    first whether it is one: without terms, anything may be there.

    Raises:
        RegistrationRefused: If asking again will not help.
        MatrixError: If the server refuses otherwise.
        BadResponse: If it is no identity server.
    """
    if line.is_published:
        await line.say(Ping())
    openid = await line.ask_homeserver(RequestOpenIdToken(user_id))
    try:
        return Secret((await line.say(_registration(openid))).secret)
    except MatrixError as error:
        refusal = _refused(error, openid)
    raise refusal


def _registration(openid: OpenIdToken) -> RegisterAccount:
    return RegisterAccount(
        openid.access_token, openid.token_type, openid.matrix_server_name, openid.expires_in
    )


def _refused(error: MatrixError, openid: OpenIdToken) -> MatrixError:
    """What a refused registration is to the caller."""
    name = openid.matrix_server_name
    if (error.status, error.errcode) == (403, "M_UNAUTHORIZED"):
        hint = f"it does not accept users of {name}; ask its operator"
    elif error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        hint = f"it could not check the user with {name}; is that homeserver reachable from there?"
    else:
        return error
    return RegistrationRefused(
        error.status, error.errcode, f"{error.message} ({hint})", error.server
    )
