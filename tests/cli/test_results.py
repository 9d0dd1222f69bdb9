"""Results, a line each."""

from __future__ import annotations

import pytest

from nio_identity_server.cli.results import Form, form_of

ROW = {"address": 'a"b@x.test', "user_id": None}


@pytest.mark.parametrize(
    ("form", "head", "line"),
    [
        (Form.TEXT, "", 'a"b@x.test\t\n'),
        (Form.JSON, "", '{"address":"a\\"b@x.test","user_id":null}\n'),
        (Form.CSV, "address,user_id\n", '"a""b@x.test",\n'),
    ],
)
def test_lines(form: Form, head: str, line: str) -> None:
    """Each form has its own way with what is special in it."""
    assert (form.head(("address", "user_id")), form.line(ROW)) == (head, line)


def test_text_cannot_move_the_cursor() -> None:
    """What a server says is shown without control characters."""
    assert Form.TEXT.line({"a": "x\x1b[2J\ny"}) == "x?[2J?y\n"


def test_forms_by_option() -> None:
    """Text, unless something else is asked for."""
    forms = [form_of(as_json=False, as_csv=False), form_of(as_json=True, as_csv=False)]

    assert [*forms, form_of(as_json=False, as_csv=True)] == [Form.TEXT, Form.JSON, Form.CSV]
