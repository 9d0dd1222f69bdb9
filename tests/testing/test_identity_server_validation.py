from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from nio_identity_server.testing import MatrixIdentityServer

from .asking import Ask, Talk, at_identity_server, validate

ME = "@me:example.test"
MAIL = {"email": "Alice@Example.Test", "client_secret": "s3cret", "send_attempt": 1}
PHONE = {
    "phone_number": "07700 900000",
    "country": "GB",
    "client_secret": "s3cret",
    "send_attempt": 1,
}
BOTH = pytest.mark.parametrize(("medium", "body"), [("email", MAIL), ("msisdn", PHONE)])


@pytest.fixture(name="me")
def _me(ask: Ask, idserver: MatrixIdentityServer) -> Talk:
    return at_identity_server(ask, idserver, ME)


class TestRequestToken:
    """Having a token sent."""

    async def test_a_mail(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """A mail goes out, with a token and a link; a sid is a decimal number in a string."""
        answer = await me.post("/validate/email/requestToken", MAIL)

        (mail,) = idserver.mails
        link = urlsplit(mail.link)
        assert (answer.status, list(answer.json)) == (200, ["sid"])
        assert answer.json["sid"].isdigit()
        assert (mail.address, mail.kind, len(mail.token)) == (MAIL["email"], "validation", 32)
        assert f"{link.scheme}://{link.netloc}" == idserver.url
        assert link.path == "/_matrix/identity/api/v1/validate/email/submitToken"
        assert parse_qs(link.query) == {
            "token": [mail.token],
            "client_secret": ["s3cret"],
            "sid": [answer.json["sid"]],
        }
        assert repr(mail) == "Mail(kind='validation')"

    async def test_a_text_message(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """A text message goes out; the answer has the number, and no length."""
        answer = await me.post("/validate/msisdn/requestToken", PHONE)

        (sms,) = idserver.sms
        assert answer.json == {
            "success": True,
            "sid": answer.json["sid"],
            "msisdn": "447700900000",
            "intl_fmt": "+447700900000",
        }
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert (sms.number, len(sms.token), sms.token.isdigit()) == ("447700900000", 6, True)
        assert repr(sms) == "Sms()"

    @BOTH
    async def test_again(
        self, me: Talk, idserver: MatrixIdentityServer, medium: str, body: dict[str, Any]
    ) -> None:
        """Asking again sends the same token once more; another secret makes another session."""
        path = f"/validate/{medium}/requestToken"
        first, second = await me.post(path, body), await me.post(path, body)
        silent = await me.post(path, {**body, "send_attempt": -1})
        other = await me.post(path, {**body, "client_secret": "other"})

        sent = [*idserver.mails, *idserver.sms]
        assert first.json["sid"] == second.json["sid"] == silent.json["sid"]
        assert first.json["sid"] != other.json["sid"]
        assert (len(sent), sent[0] == sent[1], sent[1] == sent[2]) == (3, True, False)

    @pytest.mark.parametrize(
        ("number", "country", "msisdn"),
        [
            ("+44 7700 900000", "US", "447700900000"),
            ("+447700900000", "", "447700900000"),
            ("(202) 555-0100", "US", "12025550100"),
        ],
    )
    async def test_forms_of_a_number(
        self, me: Talk, number: str, country: str, msisdn: str
    ) -> None:
        """A number is put into international form; with a plus the country does not matter."""
        body = {**PHONE, "phone_number": number, "country": country}

        answer = await me.post("/validate/msisdn/requestToken", body)

        assert msisdn == answer.json["msisdn"]

    async def test_next_links(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """The sid is added to a next link; one into the file system is dropped."""
        links = ["https://bot.test/done", "https://bot.test/?a=1", "file:///etc/passwd"]
        for link in links:
            await me.post("/validate/email/requestToken", {**MAIL, "next_link": link})

        sid = parse_qs(urlsplit(idserver.mails[0].link).query)["sid"][0]
        found = [parse_qs(urlsplit(mail.link).query).get("nextLink") for mail in idserver.mails]
        expected = [[f"https://bot.test/done?sid={sid}"], [f"https://bot.test/?a=1&sid={sid}"]]
        assert found == [*expected, None]

    @pytest.mark.parametrize(
        ("medium", "change", "error"),
        [
            ("email", {"next_link": None}, (500, "M_UNKNOWN")),
            ("email", {"email": 5}, (500, "M_UNKNOWN")),
            ("email", {"email": ""}, (400, "M_INVALID_PARAM")),
            ("email", {"email": "x" * 501}, (400, "M_INVALID_PARAM")),
            ("email", {"email": "Alice <a@x.test>"}, (400, "M_INVALID_EMAIL")),
            ("email", {"email": "älice@x.test"}, (500, "M_EMAIL_SEND_ERROR")),
            ("email", {"send_attempt": "x"}, (400, "M_INVALID_PARAM")),
            ("email", {"client_secret": "a b"}, (400, "M_INVALID_PARAM")),
            ("email", {"client_secret": 5}, (500, "M_UNKNOWN")),
            ("msisdn", {"send_attempt": None}, (400, "M_INVALID_PARAM")),
            ("msisdn", {"client_secret": ""}, (400, "M_INVALID_PARAM")),
            ("msisdn", {"phone_number": "call me"}, (400, "M_INVALID_PHONE_NUMBER")),
            ("msisdn", {"phone_number": "1" * 20}, (400, "M_INVALID_PHONE_NUMBER")),
            ("msisdn", {"phone_number": 12}, (400, "M_INVALID_PHONE_NUMBER")),
            ("msisdn", {"country": "XX"}, (400, "M_INVALID_PHONE_NUMBER")),
        ],
    )
    async def test_refused(
        self, me: Talk, medium: str, change: dict[str, Any], error: tuple[int, str]
    ) -> None:
        """Nonsense is refused with the words of Sydent."""
        body = {**(MAIL if medium == "email" else PHONE), **change}

        assert error == (await me.post(f"/validate/{medium}/requestToken", body)).error

    async def test_an_address_without_an_at(self, me: Talk) -> None:
        """Sydent takes an address without an at."""
        answer = await me.post("/validate/email/requestToken", {**MAIL, "email": "noat"})

        assert answer.status == 200

    @BOTH
    async def test_needed(
        self, ask: Ask, idserver: MatrixIdentityServer, medium: str, body: dict[str, Any]
    ) -> None:
        """Each key is needed, and before them a token and signed terms."""
        me = at_identity_server(ask, idserver, ME)
        path = f"/validate/{medium}/requestToken"
        for name in body:
            cut = {key: value for key, value in body.items() if key != name}
            assert (await me.post(path, cut)).error == (400, "M_MISSING_PARAMS")
        stranger = await ask("POST", f"{me.base}{path}", json=body)
        terms = {"version": "1", "en": {"name": "Terms", "url": "https://x.test"}}
        idserver.require_terms({"terms": terms})

        assert stranger.error == (401, "M_UNAUTHORIZED")
        assert (await me.post(path, body)).error == (403, "M_TERMS_NOT_SIGNED")

    async def test_what_cannot_be_reached(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """A mail server and a country can refuse; nothing is sent then."""
        idserver.refuse_mail("ALICE@example.test")
        idserver.refused_countries.add("44")

        mail = await me.post("/validate/email/requestToken", MAIL)
        sms = await me.post("/validate/msisdn/requestToken", PHONE)

        assert mail.error == (500, "M_EMAIL_SEND_ERROR")
        assert sms.error == (400, "M_DESTINATION_REJECTED")
        assert [*idserver.mails, *idserver.sms] == []

    async def test_cleared(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """What was sent is forgotten with what was seen; the sessions stay."""
        proof = await validate(me, idserver, "a@x.test")
        idserver.clear()

        query = f"?sid={proof['sid']}&client_secret={proof['client_secret']}"
        assert (await me.get(f"/3pid/getValidated3pid{query}")).status == 200
        assert idserver.mails == []


class TestSubmitToken:
    """Bringing a token back."""

    @BOTH
    async def test_success(
        self, me: Talk, idserver: MatrixIdentityServer, medium: str, body: dict[str, Any]
    ) -> None:
        """The right token is taken, as often as it comes."""
        sid = (await me.post(f"/validate/{medium}/requestToken", body)).json["sid"]
        token = (idserver.mails if medium == "email" else idserver.sms)[0].token
        given = {"sid": sid, "client_secret": "s3cret", "token": token}

        answers = [await me.post(f"/validate/{medium}/submitToken", given) for _ in range(2)]

        assert [answer.json for answer in answers] == [{"success": True}] * 2

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"token": "wrong"}, (404, "M_NO_VALID_SESSION")),
            ({"sid": "1"}, (400, "M_INVALID_PARAM")),
            ({"client_secret": "wrong"}, (400, "M_INVALID_PARAM")),
        ],
    )
    async def test_failure(self, me: Talk, change: dict[str, str], error: tuple[int, str]) -> None:
        """Failures have Sydent's swapped codes; for an email the status is 200 all the same."""
        answers = []
        for medium, body in (("email", MAIL), ("msisdn", PHONE)):
            sid = (await me.post(f"/validate/{medium}/requestToken", body)).json["sid"]
            given = {"sid": sid, "client_secret": "s3cret", "token": "x", **change}
            answers.append(await me.post(f"/validate/{medium}/submitToken", given))

        assert [answer.error for answer in answers] == [(200, error[1]), error]
        assert [answer.json["success"] for answer in answers] == [False, False]

    async def test_no_session_id(self, me: Talk) -> None:
        """A sid that is no scalar breaks Sydent."""
        given = {"sid": [], "client_secret": "s3cret", "token": "x"}

        assert (await me.post("/validate/email/submitToken", given)).error == (500, "M_UNKNOWN")

    async def test_expired(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """An expired session takes no token, until another mail is asked for."""
        sid = (await me.post("/validate/email/requestToken", MAIL)).json["sid"]
        given = {"sid": sid, "client_secret": "s3cret", "token": idserver.mails[0].token}
        idserver.expire_validations()

        expired = await me.post("/validate/email/submitToken", given)
        await me.post("/validate/email/requestToken", MAIL)
        revived = await me.post("/validate/email/submitToken", given)

        assert expired.error == (200, "M_SESSION_EXPIRED")
        assert revived.json == {"success": True}


class TestLinks:
    """What a browser gets."""

    async def test_the_link_of_a_mail(
        self, ask: Ask, me: Talk, idserver: MatrixIdentityServer
    ) -> None:
        """Following the link validates, without any token of the identity server."""
        sid = (await me.post("/validate/email/requestToken", MAIL)).json["sid"]

        page = await ask("GET", idserver.mails[0].link)

        found = await me.get(f"/3pid/getValidated3pid?sid={sid}&client_secret=s3cret")
        assert (page.status, page.headers["Content-Type"]) == (200, "text/html")
        assert b"successful" in page.body
        assert found.json["address"] == MAIL["email"]

    @pytest.mark.parametrize(
        ("added", "led"),
        [("https://bot.test/?a=b", (302, "https://bot.test/?a=b")), ("file:///etc", (200, None))],
    )
    async def test_next_link(
        self, me: Talk, idserver: MatrixIdentityServer, added: str, led: tuple[int, str | None]
    ) -> None:
        """Success leads on to the next link, but not into the file system."""
        await me.post("/validate/email/requestToken", MAIL)
        link = idserver.mails[0].link.replace("/api/v1/", "/v2/")

        page = await me.ask("GET", f"{link}&nextLink={added}")

        assert led == (page.status, page.headers.get("Location"))

    @pytest.mark.parametrize(
        ("query", "status"),
        [("", 400), ("?sid=1&client_secret=x&token=x&nextLink=https://x", 200)],
    )
    async def test_failure(
        self, ask: Ask, idserver: MatrixIdentityServer, query: str, status: int
    ) -> None:
        """A failure is a page with status 200, unless something is missing."""
        url = f"{idserver.url}/_matrix/identity/v2/validate/email/submitToken{query}"

        page = await ask("GET", url)

        assert (status, True) == (page.status, b"failed" in page.body)

    async def test_a_phone(self, ask: Ask, me: Talk, idserver: MatrixIdentityServer) -> None:
        """For a number the token is taken, but Sydent cannot say so."""
        sid = (await me.post("/validate/msisdn/requestToken", PHONE)).json["sid"]
        link = f"{me.base}/validate/msisdn/submitToken"
        query = f"?sid={sid}&client_secret=s3cret&token={idserver.sms[0].token}"

        pages = [await ask("GET", link), await ask("GET", f"{link}{query}")]

        found = await me.get(f"/3pid/getValidated3pid?sid={sid}&client_secret=s3cret")
        assert [page.status for page in pages] == [500, 500]
        assert found.json["address"] == "447700900000"
