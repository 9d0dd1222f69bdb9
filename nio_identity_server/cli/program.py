"""The command and its options.

Whatever a subcommand needs besides click is imported when it runs: ``--help`` and the completion of
a shell are there at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nio_identity_server.cli.commands.choosing import check, disable, leave, reset, set_, status
from nio_identity_server.cli.commands.inviting import invite
from nio_identity_server.cli.commands.lookup import lookup
from nio_identity_server.cli.commands.owning import bind, shared, unbind
from nio_identity_server.cli.commands.terms import terms
from nio_identity_server.cli.commands.watching import watch

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _InOrder(click.Group):
    """Lists its commands as they were added, from seeing to doing."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)


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
    type=_FILE,
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
@click.option("--ca", type=_FILE, help="Certificates (PEM) to trust instead of the system's.")
@click.option("--proxy", metavar="URL", help="Go through this proxy.")
@click.option("-v", "--verbose", is_flag=True, help="Say more, also about errors.")
@click.version_option(package_name="nio-identity-server")
@click.pass_context
def main(context: click.Context, /, **options: Any) -> None:
    """See and change which Matrix identity server a user has chosen, and use it.

    The login comes from --credentials, from the variables MATRIX_HOMESERVER and
    MATRIX_ACCESS_TOKEN (and MATRIX_USER_ID), from credentials.json in the folder of this program's
    settings, or you are asked for it. Each option can be a variable too: NIO_IDENTITY_SERVER_TRUST
    is --trust.
    """
    from nio_identity_server.cli.settings import Settings  # noqa: PLC0415

    context.obj = Settings(**options)


for _command in (
    *(status, check, set_, disable, reset, leave, watch, terms),
    *(lookup, bind, unbind, shared, invite),
):
    main.add_command(_command)
