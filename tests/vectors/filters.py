"""Sync filters, and whether they can hide ``m.identity_server`` from the answer.

The table of ``matrix-nio`` and Synapse, a row each, and what other servers may do.
"""

from __future__ import annotations

import json
from typing import Any


def _account_data(**part: Any) -> str:
    return json.dumps({"account_data": part})


SHOWING: dict[str, str | None] = {
    "no filter": None,
    "empty filter": "{}",
    "empty part": _account_data(),
    "room part": json.dumps({"room": {"timeline": {"limit": 1}}}),
    "account data of rooms": json.dumps({"room": {"account_data": {"types": []}}}),
    "presence": json.dumps({"presence": {"types": []}}),
    "event_fields": json.dumps({"event_fields": ["type", "content"]}),
    "event_format": json.dumps({"event_format": "client"}),
    "all harmless keys": json.dumps(
        {"account_data": {}, "event_fields": [], "event_format": "x", "presence": {}, "room": {}}
    ),
    "types: the event": _account_data(types=["m.identity_server"]),
    "types: the event among others": _account_data(types=["m.direct", "m.identity_server"]),
    "types: m.*": _account_data(types=["m.*"]),
    "types: *": _account_data(types=["*"]),
    "types: the event and a star": _account_data(types=["m.identity_server*"]),
    "types: m.identity_*": _account_data(types=["m.identity_*"]),
    "types: the event beside what is no string": _account_data(types=[5, "m.identity_server"]),
    "no not_types": _account_data(not_types=[]),
    "not_types: another event": _account_data(not_types=["m.direct"]),
    "not_types: another prefix": _account_data(not_types=["org.*"]),
    "not_types: empty string": _account_data(not_types=[""]),
    "not_types: beginning of the event": _account_data(not_types=["m.identity"]),
    "not_types: capitals": _account_data(not_types=["M.IDENTITY_SERVER"]),
    "not_types: a dot that is no wildcard": _account_data(not_types=["m?identity_server"]),
    "types and not_types": _account_data(types=["m.*"], not_types=["m.direct", "m.push*"]),
    "blanks around": ' {"account_data": {"types": ["*"]}} ',
}

HIDING: dict[str, str] = {
    "types: none": _account_data(types=[]),
    "types: another event": _account_data(types=["m.direct"]),
    "types: another prefix": _account_data(types=["org.*"]),
    "types: beginning of the event": _account_data(types=["m.identity"]),
    "types: end of the event": _account_data(types=["identity_server"]),
    "types: empty string": _account_data(types=[""]),
    "types: capitals": _account_data(types=["M.*"]),
    "types: a dot that is no wildcard": _account_data(types=["m?identity_server"]),
    # Servers differ on a star that is not the last character.
    "types: star first": _account_data(types=["*.identity_server"]),
    "types: star inside": _account_data(types=["m.*server"]),
    "types: two stars": _account_data(types=["**"]),
    "types: two stars apart": _account_data(types=["m.*_*"]),
    "types: null": _account_data(types=None),
    "types: string": _account_data(types="m.*"),
    "types: object": _account_data(types={"m.identity_server": True}),
    "types: no strings": _account_data(types=[5, None, ["m.*"]]),
    "not_types: the event": _account_data(not_types=["m.identity_server"]),
    "not_types: the event among others": _account_data(not_types=["m.direct", "m.identity_server"]),
    "not_types: m.*": _account_data(not_types=["m.*"]),
    "not_types: *": _account_data(not_types=["*"]),
    "not_types: star first": _account_data(not_types=["*.identity_server"]),
    "not_types: star inside": _account_data(not_types=["m.*server"]),
    "not_types: two stars": _account_data(not_types=["**"]),
    "not_types: null": _account_data(not_types=None),
    "not_types: string": _account_data(not_types="org.*"),
    "not_types: no strings": _account_data(not_types=[5]),
    "not_types beats types": _account_data(types=["*"], not_types=["m.identity_server"]),
    "limit 0": _account_data(limit=0),
    "limit 100": _account_data(limit=100),
    "senders": _account_data(senders=["@alice:example.org"]),
    "not_senders": _account_data(not_senders=["@alice:example.org"]),
    "contains_url": _account_data(contains_url=True),
    "rooms": _account_data(rooms=["!a:example.org"]),
    "unknown key in the part": _account_data(types=["*"], unknown=1),
    "unknown key": json.dumps({"org.example.unknown": {}}),
    "unknown key beside a good part": json.dumps({"account_data": {}, "accountdata": {}}),
    "part that is null": json.dumps({"account_data": None}),
    "part that is a list": json.dumps({"account_data": []}),
    "part that is a string": json.dumps({"account_data": "*"}),
    "id, a number": "0",
    "id, a larger number": "66696",
    "id, a word": "abc",
    "id, a word of JSON": "true",
    "empty": "",
    "null": "null",
    "list": "[]",
    "string": '"*"',
    "cut JSON": '{"account_data": {}',
    "two objects": "{}{}",
    "single quotes": "{'account_data': {}}",
    "too deep": "[" * 100_000,
    "5000 digits": "1" * 5000,
}
