"""Every exception that this package raises on purpose.

::

    IdentityServerError
    ├── NotConfirmed              the user's choice could not be learned
    ├── IdentityDisabled          the user switched identity servers off
    ├── NoIdentityServer          nothing was chosen and there is no default
    ├── IdentityServerChanged     the choice (or the user) changed under the call
    ├── InvalidBaseUrl            not the address of an identity server (a ValueError too)
    ├── ForbiddenAddress          an address that this client must not connect to
    ├── InvalidAddress            not an email address or phone number (a ValueError too)
    ├── TermsNotSigned            the server's terms have not been accepted
    ├── TermsNotOffered           a URL that is not offered was accepted (a ValueError too)
    ├── HashingNotSupported       the server takes addresses in the clear only
    ├── CannotConnect             no answer from the identity server
    ├── BadResponse               an answer that is not what the specification says
    ├── MatrixError               the identity server refused: status and errcode
    │   ├── RateLimited           ... for now: 429
    │   ├── RegistrationRefused   ... to know this user at all
    │   ├── WrongToken            ... the token from a mail or SMS
    │   ├── NotValidated          ... because the user has not shown that the address is theirs
    │   ├── ValidationExpired     ... because that was begun too long ago
    │   ├── AddressRefused        ... to send anything to this address or country
    │   ├── SendingFailed         ... because the mail or SMS could not be sent
    │   └── ThreePidInUse         ... because the address is bound already
    ├── UnbindNotSupported        an address may still be found
    ├── InvitesFailed             a room was made, but not everybody could be invited
    ├── OtherServersInvite        an invitation of another identity server than the user's
    ├── BadSignature              something is not signed by whom it says
    └── HomeserverError           the homeserver refused, or did not answer properly
        └── OutcomeUnknown        a write whose end nobody knows

Messages name the server and the reason, and what to do next where there is something to do.
They never hold a token, a secret or somebody's address, and nothing that a transport raised
hangs on them as ``__cause__`` or ``__context__``: aiohttp keeps request headers in its errors.
"""

from __future__ import annotations

from nio_identity_server.errors.association import (
    AddressRefused,
    NotValidated,
    SendingFailed,
    ThreePidInUse,
    UnbindNotSupported,
    ValidationExpired,
    WrongToken,
)
from nio_identity_server.errors.choice import (
    ForbiddenAddress,
    IdentityDisabled,
    IdentityServerChanged,
    InvalidAddress,
    InvalidBaseUrl,
    NoIdentityServer,
    NotConfirmed,
)
from nio_identity_server.errors.homeserver import (
    HomeserverError,
    OutcomeUnknown,
)
from nio_identity_server.errors.invitation import (
    BadSignature,
    InvitesFailed,
    OtherServersInvite,
)
from nio_identity_server.errors.root import (
    IdentityServerError,
)
from nio_identity_server.errors.server import (
    BadResponse,
    CannotConnect,
    HashingNotSupported,
    MatrixError,
    RateLimited,
    RegistrationRefused,
    TermsNotOffered,
    TermsNotSigned,
)

__all__ = [
    "AddressRefused",
    "BadResponse",
    "BadSignature",
    "CannotConnect",
    "ForbiddenAddress",
    "HashingNotSupported",
    "HomeserverError",
    "IdentityDisabled",
    "IdentityServerChanged",
    "IdentityServerError",
    "InvalidAddress",
    "InvalidBaseUrl",
    "InvitesFailed",
    "MatrixError",
    "NoIdentityServer",
    "NotConfirmed",
    "NotValidated",
    "OtherServersInvite",
    "OutcomeUnknown",
    "RateLimited",
    "RegistrationRefused",
    "SendingFailed",
    "TermsNotOffered",
    "TermsNotSigned",
    "ThreePidInUse",
    "UnbindNotSupported",
    "ValidationExpired",
    "WrongToken",
]
