"""The command and its options.

Whatever a subcommand needs besides click is imported when it runs: ``--help`` and the completion of
a shell are there at once.
"""

from __future__ import annotations

import signal
from typing import Any, NoReturn

import click

from nio_identity_server.cli import options
from nio_identity_server.cli.commands.choosing import check, disable, leave, reset, set_, status
from nio_identity_server.cli.commands.inviting import invite
from nio_identity_server.cli.commands.lookup import lookup
from nio_identity_server.cli.commands.owning import bind, shared, unbind
from nio_identity_server.cli.commands.terms import terms
from nio_identity_server.cli.commands.watching import watch
from nio_identity_server.cli.endings import Terminated, fails_in_one_line


class _InOrder(click.Group):
    """Lists its commands as they were added, from seeing to doing."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; whatever ends it is told in one line."""
        with fails_in_one_line():
            return super().invoke(ctx)


@click.group(
    cls=_InOrder,
    context_settings={
        "auto_envvar_prefix": "NIO_IDENTITY_SERVER",
        "help_option_names": ["-h", "--help"],
    },
)
@click.option(
    "--credentials",
    "credentials_file",
    type=options.FILE,
    envvar="NIO_IDENTITY_SERVER_CREDENTIALS",
    help="The login: a JSON file as matrix-commander writes it.",
)
@click.option("--default", metavar="URL", help="The server to use while the user has chosen none.")
@click.option(
    "--trust",
    metavar="URL",
    multiple=True,
    help="A server of your own, that may be http or private; can be repeated.",
)
@click.option("--ca", type=options.FILE, help="Certificates (PEM) to trust, not the system's.")
@click.option("--proxy", metavar="URL", help="Go through this proxy.")
@click.option("-v", "--verbose", is_flag=True, help="Say more, also about errors.")
@click.version_option(package_name="nio-identity-server")
@click.pass_context
def main(context: click.Context, /, proxy: str | None, **settings: Any) -> None:
    """See and change which Matrix identity server a user has chosen, and use it.

    The login comes from --credentials, from the variables MATRIX_HOMESERVER and
    MATRIX_ACCESS_TOKEN (and MATRIX_USER_ID), from credentials.json in the folder of this program's
    settings, or you are asked for it. Each option can be a variable too: NIO_IDENTITY_SERVER_TRUST
    is --trust.
    """
    from nio_identity_server.cli.settings import Settings  # noqa: PLC0415

    typed = context.get_parameter_source("proxy") is click.core.ParameterSource.COMMANDLINE
    if typed and proxy and "@" in proxy:
        raise click.UsageError(
            "everybody can read a command line: set NIO_IDENTITY_SERVER_PROXY for a password"
        )
    context.obj = Settings(proxy=proxy, **settings)


for _command in (
    *(status, check, set_, disable, reset, leave, watch, terms),
    *(lookup, bind, unbind, shared, invite),
):
    main.add_command(_command)


def run() -> None:
    """Run the command as a program of its own."""
    # Before an event loop takes the signals for itself: it would swallow the first Ctrl-C while
    # something is read or asked for.
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)
    main(prog_name="nio-identity-server")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _terminate(*_: object) -> NoReturn:
    raise Terminated
