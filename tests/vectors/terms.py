"""Terms of service as servers may offer them."""

from __future__ import annotations

from typing import Any

# The example of the specification (identity service API, GET /_matrix/identity/v2/terms).
SPECIFIED: dict[str, Any] = {
    "policies": {
        "terms_of_service": {
            "version": "2.0",
            "en": {
                "name": "Terms of Service",
                "url": "https://example.org/somewhere/terms-2.0-en.html",
            },
            "fr": {
                "name": "Conditions d'utilisation",
                "url": "https://example.org/somewhere/terms-2.0-fr.html",
            },
        },
        "privacy_policy": {
            "version": "1.2",
            "en": {
                "name": "Privacy Policy",
                "url": "https://example.org/somewhere/privacy-1.2-en.html",
            },
            "fr": {
                "name": "Politique de confidentialit\u00e9",
                "url": "https://example.org/somewhere/privacy-1.2-fr.html",
            },
        },
    }
}

USABLE_URLS: dict[str, str] = {
    "plain": "https://example.org/terms",
    "host only": "https://example.org",
    "port": "https://example.org:8443/terms",
    "query and fragment": "https://example.org/terms?v=1.2&lang=en#top",
    "capital scheme": "HTTPS://example.org/terms",
    "encoded letter": "https://example.org/caf%C3%A9",
    "at sign in the path": "https://example.org/@alice/terms",
    "IPv6": "https://[2001:db8::1]/terms",
    "2048 characters": "https://example.org/" + "a" * 2028,
}

UNUSABLE_URLS: dict[str, str] = {
    "empty": "",
    "no scheme": "example.org/terms",
    "no scheme but slashes": "//example.org/terms",
    "path only": "/terms",
    "http": "http://example.org/terms",
    "javascript": "javascript:alert(1)",
    "javascript in capitals": "JavaScript:alert(1)",
    "javascript with slashes": "javascript://example.org/%0aalert(1)",
    "data": "data:text/html,<script>alert(1)</script>",
    "file": "file:///etc/passwd",
    "matrix": "matrix:u/alice:example.org",
    "no host": "https://",
    "no host but a path": "https:///terms",
    "no slashes": "https:example.org",
    "user": "https://alice@example.org/terms",
    "user and password": "https://alice:secret@example.org/terms",
    "empty user": "https://@example.org/terms",
    "blank": "https://example.org/terms of service",
    "blank before": " https://example.org/terms",
    "newline": "https://example.org/\nterms",
    "tab in the scheme": "java\tscript:alert(1)",
    "escape": "https://example.org/\x1b[31m",
    "NUL": "https://example.org/\0",
    "DEL": "https://example.org/\x7f",
    "letter outside ASCII": "https://ex\u00e4mple.org/terms",
    "homograph": "https://\u0435xample.org/terms",
    "right-to-left override": "https://example.org/\u202egpj.exe",
    "IPv6 not closed": "https://[::1/terms",
    "2049 characters": "https://example.org/" + "a" * 2029,
}

# Browsers read a backslash as a slash, so people would be sent to a host that was not looked at.
MISLEADING_URLS: dict[str, str] = {
    "backslash for a slash": "https://evil.example\\.example.org/terms",
    "backslashes for both": "https:\\\\evil.example/terms",
}

WRONG_FORM: dict[str, Any] = {
    "null": None,
    "list": [],
    "empty object": {},
    "no policies": {"policies": None},
    "list of policies": {"policies": []},
    "list in a list": {"policies": [{"version": "1"}]},
    "policy that is null": {"policies": {"p": None}},
    "policy that is a string": {"policies": {"p": "https://example.org"}},
    "policy that is a list": {"policies": {"p": []}},
    "version that is a number": {"policies": {"p": {"version": 1.2}}},
    "version that is null": {"policies": {"p": {"version": None}}},
    "version that is a list": {"policies": {"p": {"version": ["1"]}}},
    "document that is null": {"policies": {"p": {"version": "1", "en": None}}},
    "document that is a list": {"policies": {"p": {"version": "1", "en": []}}},
    "document without a name": {"policies": {"p": {"version": "1", "en": {"url": "https://a"}}}},
    "document without a URL": {"policies": {"p": {"version": "1", "en": {"name": "P"}}}},
    "name that is a number": {
        "policies": {"p": {"version": "1", "en": {"name": 5, "url": "https://a.example"}}}
    },
    "URL that is a list": {
        "policies": {"p": {"version": "1", "en": {"name": "P", "url": ["https://a.example"]}}}
    },
    "version that is a document": {
        "policies": {"p": {"version": {"name": "P", "url": "https://a.example"}}}
    },
}
