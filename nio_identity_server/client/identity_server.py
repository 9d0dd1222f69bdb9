"""``IdentityServer``: the object that users of this package hold."""

from __future__ import annotations

from nio_identity_server.client.inviting import Inviting


class IdentityServer(Inviting):
    """The identity server of the user of one nio client.

    Every call waits until it is known which server the user chose, goes to that server only, and
    ends with :exc:`IdentityServerChanged` when the choice changes under it. Failures are
    exceptions, unlike nio's returned errors: a refusal to speak must not be ignorable.

    Made by the mixin or by ``enable()``. It has many calls, and each class above it has those of
    one chapter: choosing, asking, the user's own addresses, inviting.
    """
