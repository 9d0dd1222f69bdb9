"""Sphinx's configuration: ``make docs`` builds the pages, and takes every warning for an error."""

from __future__ import annotations

import re
from typing import Any

import nio_identity_server
from nio_identity_server import testing

project = "nio-identity-server"
author = "the authors of nio-identity-server"
html_title = project
html_theme = "furo"
html_show_copyright = False
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["tables.css"]

# Files beside the folder, and the pages that show them.
_OUTSIDE = {
    "CHANGELOG.md": "/changelog.md",
    "SECURITY.md": "/security-policy.md",
    "examples/README.md": "/examples.md",
}

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

# Every heading can be linked to, as it can on the pages of a forge.
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_display_short_literal_types = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False

nitpicky = True
# Types that signatures need and users do not.
nitpick_ignore = [
    ("py:class", name)
    for name in (
        "AcceptTerms",
        "DefaultSetting",
        "OnAttempt",
        "OnResult",
        "Signed",
        "nio_identity_server.client.homeserver.NioClient",
        "nio_identity_server.endpoint.Reply",
        "nio_identity_server.endpoint.Reply_co",
        "nio_identity_server.flows.directory.Other",
        "nio_identity_server.testing.faults.Scope",
        "nio_identity_server.testing.identity_server.accounts.OpenIdProvider",
        "nio_identity_server.testing.replies.Reply",
    )
]
# What the pages of others describe; fetching their inventories would need the network.
nitpick_ignore_regex = [
    ("py:.*", rf"({names})(\..*)?|'\w+'")
    for names in (
        "aiohttp|asyncio|attrs|collections|enum|msgspec|nio|pathlib|ssl|typing|yarl",
        "bool|bytes|dict|float|frozenset|int|list|object|property|set|str|tuple|type|None",
        "Any|ClassVar|Collection|Iterable|Literal|Mapping|NoReturn|Path|Self|Sequence|URL",
        "AsyncIterable|AsyncIterator|Awaitable|Callable|Enum|Final|Generic|Iterator|TracebackType",
        "Exception|LookupError|OSError|PermissionError|RuntimeError|TypeError|ValueError|KeyError",
    )
]

_PUBLIC = {name: f"nio_identity_server.{name}" for name in nio_identity_server.__all__}
_PUBLIC |= {name: f"nio_identity_server.testing.{name}" for name in testing.__all__}


def _at_the_front_door(app: Any, env: Any, node: Any, text: Any) -> Any:
    """Lead a reference to where a name is documented, not to the file that it lives in."""
    name = node.get("reftarget", "").rpartition(".")[2]
    if node.get("refdomain") != "py" or name not in _PUBLIC:
        return None
    where = node["refdoc"], app.builder, "obj", _PUBLIC[name]
    return env.get_domain("py").resolve_xref(env, *where, node, text)


def _stay_inside(_app: Any, _name: str, source: list[str]) -> None:
    """Lead a link out of this folder, as a forge needs it, to the page that shows the file."""

    def inside(match: re.Match[str]) -> str:
        return f"]({_OUTSIDE[match[1]]})" if match[1] in _OUTSIDE else match[0]

    source[0] = re.sub(r"\]\((?:\.\./)+([^)]+)\)", inside, source[0])


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _stay_inside)
    app.connect("missing-reference", _at_the_front_door)
