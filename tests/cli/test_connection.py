"""From a login to the server, and everything that stands between."""

from __future__ import annotations

from nio_identity_server.cli.endings import ExitCode
from tests.cli.stage import Stage


async def test_a_wrong_token(it: Stage) -> None:
    """One line says what happened; nothing goes to the identity server, and no token shows."""
    result = await it.run("lookup", "a@x.test", MATRIX_ACCESS_TOKEN="wr0ng")

    assert result.exit_code == ExitCode.HOMESERVER
    assert result.stderr.count("\n") == 1
    assert f"error: homeserver {it.homeserver.url}: HTTP 401 M_UNKNOWN_TOKEN" in result.stderr
    assert "wr0ng" not in result.output
    assert it.a.connections == 0


async def test_a_dead_homeserver(it: Stage) -> None:
    """It is named."""
    await it.homeserver.stop()
    result = await it.run("status")

    assert result.exit_code == ExitCode.HOMESERVER
    assert f"error: homeserver {it.homeserver.url}: no usable answer" in result.stderr


async def test_a_homeserver_that_redirects(it: Stage) -> None:
    """Nothing is sent elsewhere: the login is for this one."""
    it.homeserver.redirect_next(f"{it.b.url}/", times=None)
    result = await it.run("status")

    assert result.exit_code == ExitCode.HOMESERVER
    assert "it redirects" in result.stderr
    assert it.b.connections == 0


async def test_verbose(it: Stage) -> None:
    """The kind of the exception and what it knows, and the log, which does not stay on."""
    it.a.rotate_pepper()
    it.a.reject_next(403, "M_FORBIDDEN", "never", path="/lookup")
    result = await it.run("--verbose", "lookup", "a@x.test")

    assert result.exit_code == ExitCode.REFUSED
    lines = result.stderr.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("error:"))
    assert lines[start + 1 :][:3] == [
        "       kind: MatrixError",
        "       status: 403",
        "       errcode: M_FORBIDDEN",
    ]
    assert (await it.run("status")).stderr == ""


async def test_a_user_who_is_named(it: Stage) -> None:
    """Then the homeserver is not asked whose token it is."""
    await it.run("status", MATRIX_USER_ID=it.alice.user_id)

    assert it.homeserver.seen("GET", "whoami") == []


async def test_a_place_for_state_that_cannot_be_made(it: Stage) -> None:
    """Tokens are not kept then, and that is told."""
    it.file("file", "")
    result = await it.run("lookup", "a@x.test", XDG_STATE_HOME=str(it.folder / "file"))

    assert result.exit_code == ExitCode.DONE
    assert result.stderr.startswith("warning: tokens are not kept: ")


async def test_tokens_that_others_can_read(it: Stage) -> None:
    """The message names the file and what to do."""
    await it.run("lookup", "a@x.test")
    (tokens,) = (it.folder / "state").rglob("tokens.json")
    tokens.chmod(0o644)
    result = await it.run("lookup", "a@x.test")

    assert result.exit_code == ExitCode.FAILED
    assert f"chmod 600 {tokens}" in result.stderr


async def test_certificates(it: Stage) -> None:
    """A file that has none is named."""
    result = await it.run("--ca", it.file("ca.pem", "nothing"), "status")

    assert result.exit_code == ExitCode.FAILED
    assert result.stderr.startswith("error: ")


async def test_a_proxy_that_is_none(it: Stage) -> None:
    """One line."""
    result = await it.run("--proxy", "foo://bar", "status")

    assert (result.exit_code, result.stderr.count("\n")) == (ExitCode.FAILED, 1)


async def test_a_proxy(it: Stage) -> None:
    """Everything goes through it, the homeserver's requests too."""
    result = await it.run("--proxy", "http://127.0.0.1:1", "status")

    assert result.exit_code == ExitCode.HOMESERVER
    assert it.homeserver.connections == 0
