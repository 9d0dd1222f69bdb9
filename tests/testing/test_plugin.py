"""The fixtures, as somebody meets them who has installed the package and writes a first test."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

from nio_identity_server import testing
from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer, plugin

from .asking import Ask, at_homeserver

pytest_plugins = ["pytester"]

BOT = """\
from nio import AsyncClient
from nio_identity_server import IdentityServerConfig, IdentityServerMixin

class Bot(IdentityServerMixin, AsyncClient):
    "A bot as it runs in earnest: nothing in it knows of tests."

async def who_is_here(homeserver, default, addresses):
    config = IdentityServerConfig(default=default)
    bot = Bot(homeserver, "@bot:example.test", identity_server_config=config)
    await bot.login("secret")
    await bot.sync()
    try:
        return list((await bot.identity_server.lookup(addresses)).values())
    finally:
        await bot.close()
"""
TEST = """\
import pytest
from bot import who_is_here

{mark}
async def test_lookup(matrix_homeserver, identity_server):
    matrix_homeserver.register("bot")
    identity_server.bind("email", "eve@example.org", "@eve:example.test")
    found = await who_is_here(matrix_homeserver.url, identity_server.url, ["eve@example.org"])
    assert found == ["@eve:example.test"]
    assert len(identity_server.seen("POST", "lookup")) == 1
"""
FIRST_FIXTURE = """\
import pytest_asyncio

@pytest_asyncio.fixture
async def bot(matrix_homeserver):
    matrix_homeserver.register("bot")
    client = Bot(matrix_homeserver.url, "bot")
    await client.login("secret")
    yield client
    await client.close()
"""
QUIET = ("-o", "asyncio_default_fixture_loop_scope=function")


def written(pytester: pytest.Pytester, mark: str = "") -> None:
    """Put the bot and its test into an empty folder."""
    pytester.makepyfile(bot=BOT, test_bot=TEST.format(mark=mark))


class TestRun:
    """A test that runs, whoever runs it: in a process of its own, with the installed plugin."""

    @pytest.mark.parametrize(
        ("mark", "options"),
        [
            ("@pytest.mark.asyncio", ()),
            ("", ("-o", "asyncio_mode=auto")),
            ('@pytest.mark.asyncio(loop_scope="module")', ()),
            ("@pytest.mark.asyncio", ("-o", "asyncio_default_test_loop_scope=session")),
            ("@pytest.mark.anyio", ("-p", "no:asyncio")),
        ],
        ids=["strict", "auto", "loop of the module", "loop of the session", "anyio alone"],
    )
    def test_passes(self, pytester: pytest.Pytester, mark: str, options: tuple[str, ...]) -> None:
        """The bot meets both servers, and nothing warns."""
        written(pytester, mark)
        quiet = () if "no:asyncio" in options else QUIET

        result = pytester.runpytest_subprocess("-W", "error", *quiet, *options, timeout=60)

        result.assert_outcomes(passed=1)

    def test_anyio_beside_pytest_asyncio(self, pytester: pytest.Pytester) -> None:
        """In strict mode a test may be anyio's, with a backend that has options too."""
        written(pytester, "@pytest.mark.anyio")
        backend = 'return "asyncio", {"debug": True}'
        pytester.makeconftest(
            f"import pytest\n@pytest.fixture\ndef anyio_backend():\n    {backend}\n"
        )

        pytester.runpytest_inprocess(*QUIET).assert_outcomes(passed=1)

    def test_fixtures_of_the_user(self, pytester: pytest.Pytester) -> None:
        """An asynchronous fixture of the user may speak to the servers already, and to the end."""
        fixture = FIRST_FIXTURE.replace("import pytest_asyncio", "import pytest_asyncio\n" + BOT)
        test = "async def test_it(bot): assert bot.logged_in"
        pytester.makepyfile(f"{fixture}\n{test}\n")

        result = pytester.runpytest_inprocess(*QUIET, "-o", "asyncio_mode=auto")

        result.assert_outcomes(passed=1)

    def test_methods_and_properties(self, pytester: pytest.Pytester) -> None:
        """A test may be a method, a static one too, and one of Hypothesis."""
        pytester.makepyfile("""
            from hypothesis import HealthCheck, given, settings, strategies

            class TestIt:
                async def test_method(self, identity_server):
                    assert identity_server.running

                @staticmethod
                async def test_static(identity_server):
                    assert identity_server.running

            @given(strategies.booleans())
            @settings(max_examples=2, suppress_health_check=[*HealthCheck])
            async def test_property(identity_server, value):
                assert identity_server.running
        """)

        result = pytester.runpytest_inprocess(*QUIET, "-o", "asyncio_mode=auto")

        result.assert_outcomes(passed=3)


class TestRefusal:
    """A test that could only hang is told what it needs, before it starts."""

    @pytest.mark.parametrize(
        ("mark", "options", "told"),
        [
            ("", (), "*mark it with @pytest.mark.asyncio or set asyncio_mode*@pytest.mark.anyio*"),
            ("", ("-p", "no:asyncio", "-p", "no:anyio"), "*with pytest-asyncio installed*"),
            (
                "@pytest.mark.anyio",
                ("-o", "asyncio_mode=auto"),
                "*pytest-asyncio and anyio both claim this test*",
            ),
        ],
        ids=["not marked", "no plugin", "both plugins"],
    )
    def test_nobody(
        self, pytester: pytest.Pytester, mark: str, options: tuple[str, ...], told: str
    ) -> None:
        """Nobody runs it, or two do."""
        written(pytester, mark)
        quiet = () if "no:asyncio" in options else QUIET

        result = pytester.runpytest_inprocess("-p", "no:warnings", *quiet, *options)

        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([f"matrix_homeserver: {told}"])

    def test_synchronous(self, pytester: pytest.Pytester) -> None:
        """A plain function would keep the servers from ever answering."""
        pytester.makepyfile("def test_it(identity_server): pass")

        result = pytester.runpytest_inprocess(*QUIET)

        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(["identity_server: the servers run in*use `async def`"])

    @pytest.mark.parametrize("backend", ['"trio"', '("trio", {})'])
    def test_trio(self, pytester: pytest.Pytester, backend: str) -> None:
        """Neither nio nor the servers run on trio."""
        written(pytester, "@pytest.mark.anyio")
        pytester.makeconftest(
            f"import pytest\n@pytest.fixture\ndef anyio_backend(): return {backend}\n"
        )

        result = pytester.runpytest_inprocess(*QUIET)

        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(['*let anyio_backend be "asyncio"*'])


def again(monkeypatch: pytest.MonkeyPatch, installed: Any) -> ModuleType:
    """Import the plugin once more, with another pytest-asyncio, or none."""
    monkeypatch.setitem(sys.modules, "pytest_asyncio", installed)
    spec = importlib.util.spec_from_file_location("another_plugin", plugin.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class OldPytestAsyncio:
    """Marks fixtures as releases before 0.24 did."""

    @staticmethod
    def fixture(*, name: str) -> None:
        """Know no scopes of loops."""


class OldConfig:
    """The options of a pytest-asyncio that has none for the scope of loops."""

    def getini(self, name: str) -> str:
        """Know no option, and say so as pytest does."""
        raise ValueError(f"unknown configuration value: {name!r}")


class Asked:
    """What the plugin looks at of a request."""

    fixturename = "identity_server"
    config = OldConfig()


@pytest.mark.parametrize("installed", [None, OldPytestAsyncio])
def test_without_pytest_asyncio(monkeypatch: pytest.MonkeyPatch, installed: Any) -> None:
    """Where pytest-asyncio is missing or old, the plugin loads all the same, and says so late."""
    plain = again(monkeypatch, installed)

    with pytest.raises(pytest.fail.Exception, match=r"needs pytest-asyncio 0\.24 or later"):
        plain._scope(Asked, pytest.mark.asyncio)


def test_pytest_asyncio_without_the_option() -> None:
    """Then the usual loop is the test's own."""
    request: Any = Asked

    assert plugin._scope(request, pytest.mark.asyncio) == "function"


def test_it_costs_no_run_anything() -> None:
    """Loaded in every run of pytest, it brings neither a server nor nio."""
    code = (
        "import sys, nio_identity_server.testing.plugin; "
        "print(sorted({'aiohttp', 'nio', 'msgspec', 'yarl', 'Crypto'} & sys.modules.keys()))"
    )
    done = subprocess.run(  # noqa: S603 -- ourselves
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


async def test_the_servers_know_each_other(
    ask: Ask, identity_server: MatrixIdentityServer, matrix_homeserver: MatrixHomeserver
) -> None:
    """One proves its users to the other, which sends out invitations for it."""
    alice = at_homeserver(ask, matrix_homeserver, "alice")
    proof = (await alice.post(f"/user/{alice.user_id}/openid/request_token", {})).json
    register = f"{identity_server.url}/_matrix/identity/v2/account/register"
    token = (await ask("POST", register, json=proof)).json["token"]
    room = (await alice.post("/createRoom", {})).json["room_id"]
    mail = {"medium": "email", "address": "bob@example.org"}
    there = {"id_server": identity_server.netloc, "id_access_token": token}

    answer = await alice.post(f"/rooms/{room}/invite", {**mail, **there})

    assert (answer.status, identity_server.mails[0].address) == (200, "bob@example.org")


def test_the_front_door() -> None:
    """Every name of the package's front door can be had, and no other."""
    for name in testing.__all__:
        assert name == getattr(testing, name).__name__

    assert sorted(testing.__all__) == list(testing.__all__)
    assert not hasattr(testing, "Nothing")
