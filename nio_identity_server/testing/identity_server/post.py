"""What an identity server sends out: mails and text messages."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Literal

import attrs

from nio_identity_server.testing.replies import Refusal


@attrs.frozen
class Mail:
    """A mail that an identity server has sent; its printed form tells nothing but the kind.

    Attributes:
        address: To whom.
        kind: What for.
        token: The token that validates the address, or that names the invitation.
        link: The link that the mail asks to follow.
    """

    address: str = attrs.field(repr=False)
    kind: Literal["validation", "invitation"]
    token: str = attrs.field(repr=False)
    link: str = attrs.field(repr=False)


@attrs.frozen
class Sms:
    """A text message that an identity server has sent; its printed form tells nothing.

    Attributes:
        number: To which number, in international form without a plus.
        token: The token that validates the number.
    """

    number: str = attrs.field(repr=False)
    token: str = attrs.field(repr=False)


class Unsendable(Exception):
    """The mail server takes no mail to this address."""


class Post:
    """The way out of an identity server.

    Attributes:
        mails: Every mail that was sent, in order.
        sms: Every text message that was sent, in order.
        refused: Folded addresses to which no mail can be sent.
    """

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.sms: list[Sms] = []
        self.refused: set[str] = set()

    def send(self, mail: Mail) -> None:
        """Send a mail.

        Raises:
            Refusal: 400 `M_INVALID_EMAIL`: that is no address.
            Unsendable: The mail server refuses it; it refuses all that is not ASCII.
        """
        # An address needs no "@" for Sydent 2.6.1.
        if not mail.address or parseaddr(mail.address)[1] != mail.address:
            raise Refusal(400, "M_INVALID_EMAIL", "Invalid email address")
        if mail.address.casefold() in self.refused or not mail.address.isascii():
            raise Unsendable
        self.mails.append(mail)
