"""The launcher keeps its promises: both servers run, work together, and leave nothing behind."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio

from tests.real.servers import child
from tests.real.servers.process import ServerFailed
from tests.real.servers.stack import RealServers, RealUser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

IDENTITY = "/_matrix/identity/v2"


@pytest_asyncio.fixture(loop_scope="module", scope="module", name="servers")
async def _servers() -> AsyncIterator[RealServers]:
    async with RealServers(sydent=True) as servers:
        yield servers


@pytest_asyncio.fixture(loop_scope="module", scope="module", name="alice")
async def _alice(servers: RealServers) -> RealUser:
    return await servers.register_user("alice")


async def call(
    servers: RealServers,
    method: str,
    url: str,
    *,
    token: str = "",
    body: object = None,
) -> tuple[int, Any]:
    """Send one request, and return the status and the JSON of its answer."""
    trusted = ssl.create_default_context(cafile=servers.ca_file)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, url, json=body, ssl=trusted) as response,
    ):
        return response.status, await response.json(content_type=None)


async def identity_token(servers: RealServers, user: RealUser) -> str:
    """Register ``user`` at the identity server, with an OpenID token of the homeserver."""
    openid = f"/_matrix/client/v3/user/{user.user_id}/openid/request_token"
    url = servers.homeserver_url + openid
    _, proof = await call(servers, "POST", url, token=user.access_token, body={})
    url = servers.identity_server_url + IDENTITY + "/account/register"
    _, answer = await call(servers, "POST", url, body=proof)
    return str(answer["token"])


async def test_synapse_answers(servers: RealServers) -> None:
    """The client API says which versions of the specification it speaks."""
    status, answer = await call(servers, "GET", f"{servers.homeserver_url}/_matrix/client/versions")

    assert status == 200
    assert "v1.11" in answer["versions"]


async def test_account_data(servers: RealServers, alice: RealUser) -> None:
    """Account data is absent with a 404, then stored and returned as it was."""
    kind = f"/_matrix/client/v3/user/{alice.user_id}/account_data/m.identity_server"
    url, token = servers.homeserver_url + kind, alice.access_token
    chosen = {"base_url": servers.identity_server_url}

    status, absent = await call(servers, "GET", url, token=token)

    assert (status, absent["errcode"]) == (404, "M_NOT_FOUND")
    assert await call(servers, "PUT", url, token=token, body=chosen) == (200, {})
    assert await call(servers, "GET", url, token=token) == (200, chosen)


async def test_well_known(servers: RealServers) -> None:
    """The homeserver names the identity server as its default, at its own name."""
    url = f"{servers.homeserver_tls_url}/.well-known/matrix/client"

    status, answer = await call(servers, "GET", url)

    assert status == 200
    assert answer["m.identity_server"] == {"base_url": servers.identity_server_url}


async def test_sydent_answers_with_tls(servers: RealServers) -> None:
    """The identity server is there, and its certificate is signed by the given authority."""
    assert await call(servers, "GET", servers.identity_server_url + IDENTITY) == (200, {})


async def test_openid_registers_at_sydent(servers: RealServers, alice: RealUser) -> None:
    """A token of the homeserver opens an account at the identity server."""
    token = await identity_token(servers, alice)
    url = servers.identity_server_url + IDENTITY + "/account"

    assert await call(servers, "GET", url, token=token) == (200, {"user_id": alice.user_id})


async def test_mail_and_sms_are_caught(servers: RealServers, alice: RealUser) -> None:
    """What Sydent sends is here as soon as it has answered."""
    token = await identity_token(servers, alice)
    url = servers.identity_server_url + IDENTITY + "/validate"
    email = {"client_secret": "a_secret", "send_attempt": 1, "email": "alice@example.org"}
    phone = {"client_secret": "a_secret", "send_attempt": 1, "phone_number": "+447700900001"}

    mailed, _ = await call(servers, "POST", f"{url}/email/requestToken", token=token, body=email)
    phone["country"] = "GB"
    texted, _ = await call(servers, "POST", f"{url}/msisdn/requestToken", token=token, body=phone)

    assert (mailed, texted) == (200, 200)
    mail, sms = servers.mails[-1], servers.sms[-1]
    assert (mail.to, mail.kind) == ("alice@example.org", "verification")
    assert mail.fields["token"] in mail.fields["link"]
    assert sms.to == "447700900001"
    assert sms.text.isdigit()


async def test_invitation_by_mail(servers: RealServers, alice: RealUser) -> None:
    """The homeserver reaches the identity server, which mails what the invited person needs."""
    api, token = f"{servers.homeserver_url}/_matrix/client/v3", alice.access_token
    _, room = await call(servers, "POST", f"{api}/createRoom", token=token, body={})
    invitation = {
        "medium": "email",
        "address": "bob@example.org",
        "id_server": servers.id_server,
        "id_access_token": await identity_token(servers, alice),
    }

    url = f"{api}/rooms/{room['room_id']}/invite"

    assert await call(servers, "POST", url, token=token, body=invitation) == (200, {})
    mail = servers.mails[-1]
    assert (mail.to, mail.kind) == ("bob@example.org", "invite")
    assert (mail.fields["sender"], mail.fields["room_id"]) == (alice.user_id, room["room_id"])
    assert mail.fields["ephemeral_private_key"]


async def test_pepper_and_terms_change(servers: RealServers, alice: RealUser) -> None:
    """The pepper can be another one, and terms come, are renewed, and go."""
    token = await identity_token(servers, alice)
    url = servers.identity_server_url + IDENTITY
    _, before = await call(servers, "GET", f"{url}/hash_details", token=token)

    await servers.rotate_pepper()

    _, after = await call(servers, "GET", f"{url}/hash_details", token=token)
    assert before["lookup_pepper"] != after["lookup_pepper"]

    for version in ("1", "2"):
        await servers.require_terms(version)

        _, terms = await call(servers, "GET", f"{url}/terms")
        refused, answer = await call(servers, "GET", f"{url}/account", token=token)
        assert terms["policies"]["privacy_policy"]["version"] == version
        assert (refused, answer["errcode"]) == (403, "M_TERMS_NOT_SIGNED")

    await servers.require_terms(None)

    accepted, _ = await call(servers, "GET", f"{url}/account", token=token)
    assert accepted == 200


async def test_outages(servers: RealServers, alice: RealUser) -> None:
    """Sydent can go and come back, and so can Synapse, without forgetting anybody."""
    token = await identity_token(servers, alice)
    url = servers.identity_server_url + IDENTITY

    await servers.stop_sydent()

    with pytest.raises(aiohttp.ClientConnectionError):
        await call(servers, "GET", url)

    await servers.start_sydent()
    await servers.restart_synapse()

    assert (await call(servers, "GET", f"{url}/account", token=token))[0] == 200
    whoami = f"{servers.homeserver_url}/_matrix/client/v3/account/whoami"
    status, answer = await call(servers, "GET", whoami, token=alice.access_token)
    assert (status, answer["user_id"]) == (200, alice.user_id)


async def test_nothing_stays_behind() -> None:
    """At the end neither a process nor a file is left."""
    async with RealServers(synapse=False, sydent=True) as servers:
        pids, folder = servers.pids, servers.ca_file.parent
        assert len(pids) == 1
        assert folder.is_dir()

    assert not folder.exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_failed_start_shows_the_log() -> None:
    """A server that does not start is explained by the end of its log, and nothing stays."""
    servers = RealServers(synapse_config={"listeners": "nonsense"})

    with pytest.raises(ServerFailed, match="synapse ended with status 1") as failure:
        await servers.__aenter__()

    assert "listeners" in str(failure.value)
    assert not servers.ca_file.parent.exists()
    assert servers.pids == ()


async def test_a_server_ends_with_its_parent() -> None:
    """A child whose standard input is closed ends by itself: nobody has to remain to end it."""
    forever = "import threading; print(flush=True); threading.Event().wait()"
    command = [sys.executable, "-I", child.__file__, "timeit", "-n1", "-r1", forever]

    with subprocess.Popen(  # noqa: ASYNC220, S603  # a short-lived one of our own
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        assert process.poll() is None

        process.stdin.close()

        assert process.wait(10) == 1
