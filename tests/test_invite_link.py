from __future__ import annotations

import copy
from typing import Any
from urllib.parse import quote

import attrs
import pytest
from hypothesis import example, given, settings, strategies as st

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.invite_link import InviteLink
from nio_identity_server.threepid import email
from tests.canaries import assert_no_secret
from tests.vectors.invite_links import (
    ADDRESS,
    KEY,
    REFUSED,
    ROOM,
    SECRETS,
    SERVER,
    TOKEN,
    link,
    signed,
    signurl,
)

WHOLE = InviteLink(
    room_id=ROOM,
    base_url=parse_base_url(SERVER),
    token=TOKEN,
    private_key=KEY,
    threepid=email(ADDRESS),
    inviter_name="Bob & Co",
    room_name="Room",
)
PREFIX = "not the link of an invitation: "
ANY_CHARACTER = st.characters(exclude_categories=())
LINKS = [link(), *(text for text, _ in REFUSED.values() if len(text) < 1000)]


def refusal(text: str) -> ValueError:
    """What is raised for a link that is none."""
    with pytest.raises(ValueError, match=f"^{PREFIX}") as caught:
        InviteLink.parse(text)
    return caught.value


# -- good links


def test_a_link_of_sydent_tells_everything() -> None:
    """The room, the server, the secrets, the address, and what room and inviter are called."""
    assert InviteLink.parse(link()) == WHOLE


def test_the_link_that_element_is_sent() -> None:
    """Written out once, so that nobody has to trust the helper of these tests."""
    text = (
        "https://app.element.io/#/room/%21abc%3Aexample.org?email=canary.person%40example.org"
        "&signurl=https%3A%2F%2Fid.example.org%2F_matrix%2Fidentity%2Fapi%2Fv1%2Fsign-ed25519"
        "%3Ftoken%3DcanaryToken.0_=-%26private_key%3DcanaryKey+/+/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "&room_name=Room&room_avatar_url=mxc%3A//example.org/a&inviter_name=Bob%20%26%20Co"
        "&guest_access_token=&guest_user_id="
    )
    assert InviteLink.parse(text) == WHOLE


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        quote(KEY, safe=""),
        quote(KEY),
        quote(quote(KEY, safe=""), safe=""),
        KEY.replace("+", "%20"),
    ],
    ids=["bare", "encoded", "encoded but for the slash", "encoded twice", "plus as a blank"],
)
def test_the_key_arrives_however_it_was_encoded(key: str) -> None:
    """Servers do not agree; a plus never becomes a blank."""
    sign = quote(signurl(query=f"token={TOKEN}&private_key="), safe="") + key
    assert InviteLink.parse(link(sign=sign)).private_key == KEY


@pytest.mark.parametrize("letters", ["-_", "+/"])
@pytest.mark.parametrize("padding", ["", "="])
def test_the_key_stays_as_it_is_spelt(letters: str, padding: str) -> None:
    """In either alphabet, with padding or without."""
    key = KEY.replace("+", letters[0]).replace("/", letters[1]) + padding
    query = f"token={TOKEN}&private_key={key}"
    assert InviteLink.parse(signed(query=query)).private_key == key


@pytest.mark.parametrize("path", ["api/v1", "v1", "v2", "v99", "unstable/x"])
def test_the_server_is_found_in_front_of_any_version_of_the_api(path: str) -> None:
    """Sydent names its old paths, which are not used for anything."""
    it = InviteLink.parse(signed(path=f"/_matrix/identity/{path}/sign-ed25519"))
    assert str(it.base_url) == SERVER


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("https://id.example.org:8443", "https://id.example.org:8443"),
        ("https://ID.example.org:443", SERVER),
        ("https://id.example.org/sub/path", "https://id.example.org/sub/path"),
        ("https://[::1]", "https://[::1]"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_the_server_is_read_into_its_normal_form(base: str, expected: str) -> None:
    """As any base URL."""
    assert str(InviteLink.parse(signed(base=base)).base_url) == expected


@pytest.mark.parametrize(
    "origin",
    [
        "https://chat.example.org/element/index.html",
        "https://app.element.io",
        "HTTPS://app.element.io/",
        "https://app.element.io/?a=b",
        "  https://app.element.io/",
    ],
)
def test_any_client_on_the_web_may_be_linked_to(origin: str) -> None:
    """What stands before the fragment says nothing of the invitation."""
    assert InviteLink.parse(link(origin=origin)) == WHOLE


def test_a_line_break_at_the_end_is_not_part_of_the_link() -> None:
    """People copy it."""
    assert InviteLink.parse(link() + " \r\n") == WHOLE


@pytest.mark.parametrize("room", [ROOM, "!Y29tZSBpbg", "#room:example.org", "!äb&=%:example.org"])
def test_the_room_is_whatever_was_encoded(room: str) -> None:
    """Room IDs without a server name and aliases too."""
    assert InviteLink.parse(link(path=f"/room/{quote(room, safe='')}")).room_id == room


def test_a_room_that_is_not_encoded_is_read_too() -> None:
    """Other templates write the bare ID."""
    assert InviteLink.parse(link(path=f"/room/{ROOM}")) == WHOLE


def test_only_the_room_and_the_signurl_are_needed() -> None:
    """Everything else may be missing or empty."""
    sign = quote(signurl(), safe="")
    least = attrs.evolve(WHOLE, threepid=None, inviter_name="", room_name="")

    assert InviteLink.parse(f"https://a.example/#/room/{ROOM}?signurl={sign}") == least
    assert InviteLink.parse(link(email="", names="&room_name=&inviter_name=")) == least
    assert InviteLink.parse(link(email="", names="", more="")) == least


def test_fields_that_nobody_knows_are_passed_over() -> None:
    """In the link and in its signurl."""
    assert InviteLink.parse(link(more="&room_type=m.space&x=%00")) == WHOLE
    query = f"a=b&token={TOKEN}&private_key={KEY}&c="
    assert InviteLink.parse(signed(query=query)) == WHOLE


def test_the_address_is_read_into_its_canonical_form() -> None:
    """A plus in it has to be encoded, as the templates do."""
    address = quote("Canary+Tag@Example.ORG", safe="")
    assert InviteLink.parse(link(email=address)).threepid == email("canary+tag@example.org")


@pytest.mark.parametrize(
    "text", ["%2B4420", "canary", "canary%40a.example%40b.example", "canary%0A%40a.example"]
)
def test_an_address_that_is_none_is_left_out(text: str) -> None:
    """Nothing depends on it, so that the invitation can be accepted all the same."""
    assert InviteLink.parse(link(email=text)) == attrs.evolve(WHOLE, threepid=None)


@pytest.mark.parametrize(
    "room", ["%21", "%21r%0A%1B%5B2J%3Ax", "%21a%20b%3Ax", "%21%2F..%2F..%2Fx", "!" + "x" * 255]
)
def test_a_room_that_is_none(room: str) -> None:
    """It would be shown, and stand in a path."""
    with pytest.raises(ValueError, match="it names no room"):
        InviteLink.parse(link(path=f"/room/{room}"))


def test_servers_to_join_by_may_stand_in_it() -> None:
    """What is not read may stand in it twice."""
    assert InviteLink.parse(link(more="&via=one.example&via=two.example")) == WHOLE


def test_names_are_on_one_line_and_not_in_the_printed_form() -> None:
    """Somebody else has made them up, and one may be an address."""
    it = InviteLink.parse(link(names="&inviter_name=canary%0A%1B%5B31m&room_name=canary%E2%80%AE"))
    assert (it.inviter_name, it.room_name) == ("canary??[31m", "canary?")
    assert "canary" not in repr(it)


def test_a_link_of_the_greatest_length() -> None:
    """8,192 characters are read, and not one fewer."""
    text = link(more="&x=").ljust(8192, "a")
    assert InviteLink.parse(text) == WHOLE


# -- bad links


def test_there_are_enough_bad_links() -> None:
    """No two of the table are the same."""
    assert len({text for text, _ in REFUSED.values()}) == len(REFUSED) >= 60


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(text: str, reason: str) -> None:
    """What is no link of an invitation is refused with the first rule that it breaks."""
    assert str(refusal(text)) == f"{PREFIX}{reason}"


@pytest.mark.parametrize(("text", "_"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_repeats_nothing(text: str, _: str) -> None:
    """Neither a secret nor a name out of the link, and no parser's exception hangs on it."""
    error = refusal(text)

    assert (error.__cause__, error.__context__) == (None, None)
    assert_no_secret(error.with_traceback(None), SECRETS)


@st.composite
def _mutated(draw: st.DrawFn) -> str:
    """One of the links with a piece cut out and something put in its place."""
    text = draw(st.sampled_from(LINKS))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 3)))
    piece = draw(st.text(ANY_CHARACTER, max_size=3) | st.text("%2F[]@&=?#:/\n", max_size=4))
    return text[:start] + piece + text[end:]


@settings(max_examples=500, deadline=None)
@given(_mutated() | st.text(ANY_CHARACTER).map("https://".__add__) | st.text(ANY_CHARACTER))
@example(link(origin="https://[v1.hunter2]/"))
def test_any_text_is_a_link_or_a_value_error(text: str) -> None:
    """Never another exception; and what is read is good for what it is needed for."""
    try:
        it = InviteLink.parse(text)
    except ValueError as error:
        assert type(error) is ValueError  # noqa: PT017 - what is accepted is no failure
        assert str(error).startswith(PREFIX)  # noqa: PT017
        assert error.__context__ is None  # noqa: PT017
        assert str(error).isprintable()  # noqa: PT017
    else:
        assert it.base_url.scheme == "https"
        assert it.room_id[0] in "!#"
        assert copy.copy(it) == it


@settings(max_examples=200, deadline=None)
@given(_mutated(), st.integers(0, 300))
def test_a_refusal_never_repeats_what_was_put_into_the_link(text: str, place: int) -> None:
    """Wherever it stands."""
    secret = "Zanzibar8"
    told = ""
    try:
        InviteLink.parse(text[:place] + secret + text[place:])
    except ValueError as error:
        told = f"{error!s} {error!r} {error.args}"
    assert not any(each in told for each in (secret, *SECRETS))


# -- the value


def test_a_link_shows_neither_its_secrets_nor_the_address() -> None:
    """Printed in whatever way; whose server it is, and which room, is for people to see."""
    it = InviteLink.parse(link())
    shown = f"{it} {it!r} {[it]} {attrs.asdict(it, recurse=False)['threepid']!r}"

    assert not [each for each in SECRETS if each in shown]
    assert SERVER in shown
    assert ROOM in shown


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("token", "", "token is not"),
        ("token", "canary\n", "token is not"),
        ("private_key", "", "private_key is none"),
        ("private_key", "canary", "private_key is none"),
    ],
)
def test_a_link_that_is_made_by_hand_is_checked_too(field: str, value: str, reason: str) -> None:
    """And repeats nothing either."""
    parts: dict[str, Any] = {field: value}
    with pytest.raises(ValueError, match=reason) as caught:
        attrs.evolve(WHOLE, **parts)
    assert_no_secret(caught.value.with_traceback(None), SECRETS)


def test_what_a_link_does_not_tell_is_empty() -> None:
    """Made by hand of what is needed only."""
    it = InviteLink(ROOM, parse_base_url(SERVER), TOKEN, KEY)
    assert (it.threepid, it.inviter_name, it.room_name) == (None, "", "")


def test_a_link_cannot_be_changed() -> None:
    """What was shown to the user is what is used."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        WHOLE.room_id = "!other:example.org"  # type: ignore[misc]
