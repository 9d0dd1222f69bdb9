"""Faults of meaning: proper HTTP, proper JSON, and yet no reply."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from nio_identity_server.errors import (
    AddressRefused,
    MatrixError,
    NotValidated,
    RateLimited,
    SendingFailed,
    ThreePidInUse,
    ValidationExpired,
    WrongToken,
)
from tests.proof.fault_matrix.faults import Family, Fault, Scene
from tests.proof.fault_matrix.samples import BODY, HEADER, SECRETS, TARGET, TOKEN, Sample
from tests.raw_server import Script, answer

_REASONS = {400: "Bad", 401: "Who", 403: "No", 404: "Where", 429: "Slow down", 502: "Bad gateway"}


def _refusal(status: int, errcode: str, *headers: str, **more: Any) -> Scene:
    body = {"errcode": errcode, "error": "no", "canary": BODY, **more}
    return lambda _: [_answer(status, json.dumps(body).encode(), *headers)]


def _answer(status: int, body: bytes, *headers: str) -> bytes:
    return answer(body, f"{status} {_REASONS.get(status, 'Odd')}", f"X-Canary: {HEADER}", *headers)


def _page(status: int) -> Scene:
    body = f"<html><h1>{status}</h1>{BODY}</html>".encode()
    return lambda _: [_answer(status, body, "Content-Type: text/html")]


def _refused(status: int, errcode: str, kind: type[MatrixError] = MatrixError) -> Fault:
    obstacle = status == 401 or errcode == "M_TERMS_NOT_SIGNED"
    scene = _refusal(status, errcode)
    return Fault(f"{status} {errcode}", Family.REFUSED, scene, kind=kind, obstacle=obstacle)


def _limited(name: str, *headers: str, patient: bool, **more: Any) -> Fault:
    scene = _refusal(429, "M_LIMIT_EXCEEDED", *headers, **more)
    return Fault(f"429 {name}", Family.REFUSED, scene, kind=RateLimited, patient=patient)


def _redirect(status: int, where: str, target: str) -> Fault:
    def scene(sample: Sample) -> Script:
        location = target.replace("ITSELF", sample.endpoint.target)
        return [answer(b"", f"{status} Elsewhere", f"Location: {location}")]

    family = Family.ASTRAY if where == "a closed port" else Family.REDIRECT
    return Fault(f"{status} to {where}", family, scene)


def _echo(sample: Sample) -> Script:
    """A refusal that says every secret of the request back."""
    token = TOKEN if sample.endpoint.authenticated else ""
    body = sample.endpoint.payload or b""
    sent = f"{token} {unquote(sample.endpoint.target)} {body.decode()}"
    said = {"errcode": "M_UNKNOWN", "error": " ".join(each for each in SECRETS if each in sent)}
    return [_answer(400, json.dumps(said).encode())]


_TARGETS = {
    "a path": f"/{TARGET}",
    "a closed port": f"http://127.0.0.1:1/{TARGET}",
    "a file": f"file:///etc/{TARGET}",
    "itself": "ITSELF",
    "nonsense": f"http://[{TARGET}",
}

REDIRECTS = (
    *(
        _redirect(status, where, target)
        for status in (301, 302, 303, 307, 308)
        for where, target in _TARGETS.items()
    ),
    *(
        Fault(
            f"{status} without a target",
            Family.REDIRECT,
            lambda _, status=status: [answer(b"", f"{status} Elsewhere")],  # type: ignore[misc]
        )
        for status in (300, 302, 304, 307)
    ),
)

REFUSALS = (
    _refused(400, "M_UNKNOWN"),
    _refused(400, "M_INVALID_PEPPER"),
    _refused(400, "M_THREEPID_IN_USE", ThreePidInUse),
    _refused(400, "M_INVALID_EMAIL", AddressRefused),
    _refused(400, "M_EMAIL_SEND_ERROR", SendingFailed),
    _refused(400, "M_SESSION_NOT_VALIDATED", NotValidated),
    _refused(400, "M_SESSION_EXPIRED", ValidationExpired),
    _refused(400, "M_TOKEN_INCORRECT", WrongToken),
    _refused(401, "M_UNAUTHORIZED"),
    _refused(401, "M_UNKNOWN_TOKEN"),
    _refused(403, "M_UNAUTHORIZED"),
    _refused(403, "M_FORBIDDEN"),
    _refused(403, "M_TERMS_NOT_SIGNED"),
    _refused(404, "M_NOT_FOUND"),
    _refused(404, "M_UNRECOGNIZED"),
    _refused(405, "M_UNRECOGNIZED"),
    _refused(418, "not a code"),
    Fault("400 that says all secrets back", Family.REFUSED, _echo),
    *(Fault(f"{status} HTML", Family.REFUSED, _page(status)) for status in (400, 403, 404)),
    Fault("408", Family.FAILED, _page(408), patient=False),
    *(Fault(f"{status} HTML", Family.FAILED, _page(status)) for status in (500, 502, 503, 504)),
    *(
        Fault(f"{status} M_UNKNOWN", Family.FAILED, _refusal(status, "M_UNKNOWN"))
        for status in (500, 503, 599)
    ),
    _limited("without a hint", patient=True),
    _limited("for ages", retry_after_ms=10**12, patient=False),
    _limited("for ages, in a header", "Retry-After: 99999999", patient=False),
    _limited("for a negative time", retry_after_ms=-5, patient=True),
    _limited("for a text", retry_after_ms="5000", patient=True),
    _limited("for a list", retry_after_ms=[1], patient=True),
    _limited("for a huge number", retry_after_ms=10**400, patient=True),
    _limited("until a date", "Retry-After: Fri, 31 Dec 2999 23:59:59 GMT", patient=True),
)

MEANING = (*REDIRECTS, *REFUSALS)
