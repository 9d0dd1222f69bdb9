"""Contents of ``m.identity_server`` that name no server and do not say "off" either."""

from __future__ import annotations

from typing import Any

NOT_AN_OBJECT = "the account data is not an object"
IN_THE_EVENT = "base_url in the account data: "

UNUSABLE: dict[str, tuple[Any, str]] = {
    "null": (None, NOT_AN_OBJECT),
    "list": ([], NOT_AN_OBJECT),
    "list of pairs": ([["base_url", "https://id.example.org"]], NOT_AN_OBJECT),
    "string": ("https://id.example.org", NOT_AN_OBJECT),
    "empty string": ("", NOT_AN_OBJECT),
    "number": (5, NOT_AN_OBJECT),
    "zero": (0, NOT_AN_OBJECT),
    "false": (False, NOT_AN_OBJECT),
    "true": (True, NOT_AN_OBJECT),
    "nothing known": (object(), NOT_AN_OBJECT),
    "base_url is empty": ({"base_url": ""}, f"{IN_THE_EVENT}it is empty"),
    "base_url is a number": (
        {"base_url": 5},
        f"{IN_THE_EVENT}a string is needed, not int",
    ),
    "base_url is zero": ({"base_url": 0}, f"{IN_THE_EVENT}a string is needed, not int"),
    "base_url is a fraction": ({"base_url": 0.5}, f"{IN_THE_EVENT}a string is needed, not float"),
    "base_url is false": ({"base_url": False}, f"{IN_THE_EVENT}a string is needed, not bool"),
    "base_url is a list": ({"base_url": []}, f"{IN_THE_EVENT}a string is needed, not list"),
    "base_url is a list of one": (
        {"base_url": ["https://id.example.org"]},
        f"{IN_THE_EVENT}a string is needed, not list",
    ),
    "base_url is an object": ({"base_url": {}}, f"{IN_THE_EVENT}a string is needed, not dict"),
    "base_url is a blank": (
        {"base_url": " "},
        f"{IN_THE_EVENT}it holds blanks or control characters",
    ),
    "base_url is the word null": (
        {"base_url": "null"},
        f"{IN_THE_EVENT}it must begin with https:// and a host",
    ),
    "base_url has no scheme": (
        {"base_url": "id.example.org"},
        f"{IN_THE_EVENT}it must begin with https:// and a host",
    ),
    "base_url is a megabyte": (
        {"base_url": "https://" + "a" * 1_000_000},
        f"{IN_THE_EVENT}it is longer than 2048 characters",
    ),
    "base_url has a password": (
        {"base_url": "https://a:b@id.example.org"},
        f"{IN_THE_EVENT}it holds a user name or password",
    ),
    "base_url is http": ({"base_url": "http://id.example.org"}, f"{IN_THE_EVENT}it is not https"),
}
