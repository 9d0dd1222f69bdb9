"""The modules that are broken, and which tests are to notice."""

from __future__ import annotations

from pathlib import Path

from tests.mutation.running import Subject

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = CHECKOUT / "nio_identity_server"

_TESTS = {
    "base_url.py": ("tests/test_base_url.py",),
    "client/gate.py": (
        "tests/client/test_gate.py",
        "tests/client/test_well_known.py",
        "tests/client/test_default.py",
        "tests/client/test_identity_server.py",
    ),
    "preference/account_data.py": ("tests/preference/test_account_data.py",),
    "preference/choice.py": ("tests/preference/test_choice.py",),
    "preference/evidence.py": ("tests/preference/test_evidence.py",),
    "preference/resolution.py": ("tests/preference/test_resolution.py",),
    "flows/association.py": ("tests/flows/test_association.py", "tests/client/owning"),
    "flows/directory.py": ("tests/flows/test_directory.py", "tests/client/test_inviting.py"),
    "flows/inspection.py": ("tests/flows/test_inspection.py",),
    "flows/invitation.py": ("tests/flows/test_invitation.py", "tests/client/test_inviting.py"),
    "flows/joining.py": ("tests/flows/test_joining.py",),
    "flows/keys.py": ("tests/flows/test_keys.py",),
    "flows/leaving.py": ("tests/client/test_leaving.py",),
    "flows/lookup.py": (
        "tests/flows/test_lookup.py",
        "tests/flows/test_lookup_sizes.py",
        "tests/client/test_lookup.py",
    ),
    "flows/obstacles.py": ("tests/flows/test_obstacles.py",),
    "flows/pending_invites.py": ("tests/flows/test_pending_invites.py",),
    "flows/registration.py": ("tests/flows/test_registration.py",),
    "flows/session.py": ("tests/flows/test_session.py", "tests/client/test_identity_server.py"),
    "flows/store.py": ("tests/client/test_tokens.py",),
    "flows/terms.py": ("tests/flows/test_terms.py",),
    "flows/validation.py": ("tests/client/owning",),
    "flows/well_known.py": ("tests/flows/test_well_known.py",),
}


def subjects() -> dict[str, Subject]:
    """Each module by its path below the package."""
    return {
        path: Subject(_name(path), PACKAGE / path, tests) for path, tests in sorted(_TESTS.items())
    }


def _name(path: str) -> str:
    return ".".join([PACKAGE.name, *Path(path).with_suffix("").parts])
