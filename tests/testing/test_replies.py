from __future__ import annotations

from nio_identity_server.testing.replies import Refusal, Reply


class TestReply:
    """Answers."""

    def test_json(self) -> None:
        """A JSON answer says so, and carries further headers."""
        reply = Reply.of_json({"a": None}, 201, {"X": "y"}, chunked=True)

        assert (reply.status, reply.body, reply.chunked) == (201, b'{"a": null}', True)
        assert reply.headers == {"Content-Type": "application/json", "X": "y"}

    def test_html(self) -> None:
        """A page for people holds no errcode."""
        reply = Reply.of_html(404, "No Such Resource")

        assert reply.status == 404
        assert b"<title>404 - No Such Resource</title>" in reply.body
        assert reply.headers["Content-Type"].startswith("text/html")

    def test_the_body_is_not_printed(self) -> None:
        """An answer can hold a token, so the printed form has no body."""
        assert "secret" not in repr(Reply.of_json({"token": "secret"}))


class TestRefusal:
    """Matrix errors."""

    def test_it_becomes_a_matrix_error(self) -> None:
        """The reply has errcode, error and the extra fields."""
        reply = Refusal(400, "M_X", "why", more=[1]).reply

        assert reply.status == 400
        assert reply.body == b'{"errcode": "M_X", "error": "why", "more": [1]}'
