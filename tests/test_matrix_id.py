from __future__ import annotations

import pytest
from hypothesis import example, given, strategies as st

from nio_identity_server.matrix_id import LONGEST, is_user_id


@pytest.mark.parametrize(
    "text",
    [
        "@alice:example.org",
        "@:example.org",  # historical: an empty local part was possible
        "@Alice!=#$%&'()*+,-./;<>?[]^_`{|}~:example.org",
        "@alice:example.org:8448",
        "@alic\u00e9:example.org",
        "@\u0436\u0443\u043a:example.org",
        "@alice:1.2.3.4",
        "@alice:1.2.3.4:8448",
        "@alice:[2001:db8::1]",
        "@alice:[::1]:8448",
        "@@:x",
        "@a:" + "x" * 230,
        "@" + "a" * (LONGEST - 3) + ":x",
    ],
)
def test_user_ids(text: str) -> None:
    """An ``@``, anything that prints but a colon, a colon, a server name."""
    assert is_user_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        ":",
        "@alice",
        "@alice:",
        "alice:example.org",
        "!room:example.org",
        "@alice:example.org ",
        " @alice:example.org",
        "@alice:example.org\n",
        "@ali ce:example.org",
        "@ali\0ce:example.org",
        "@ali\x7fce:example.org",
        "@ali\u202ece:example.org",
        "@alice:ex\u00e4mple.org",
        "@alice:example.org/",
        "@alice:example.org?x",
        "@alice:exa_mple.org",
        "@alice:example.org:",
        "@alice:example.org:123456",
        "@alice:example.org:\u0661",
        "@alice:[::1",
        "@alice:[]",
        "@alice:[example.org]",
        "@a:b:c",
        "@alice:example.org@evil:x",
        "<img src=x>",
        "@" + "a" * (LONGEST - 2) + ":x",
        "@alice:" + "x" * 231,
        "\ud800",
        "@\ud800:x",
    ],
)
def test_what_is_no_user_id(text: str) -> None:
    """Nothing that does not print, nothing after the server name, at most 255 bytes."""
    assert not is_user_id(text)


@given(st.text(st.characters()) | st.from_regex(r"@[\x00-\xff]{0,9}:[\x00-\xff]{1,9}"))
@example("@a:b\n")
def test_any_text_is_judged(text: str) -> None:
    """What passes is short and printable and has both parts; nothing raises."""
    if is_user_id(text):
        assert text.isprintable()
        assert len(text.encode()) <= LONGEST
        local, _, server = text.removeprefix("@").partition(":")
        assert text == f"@{local}:{server}"
        assert server
