"""The country of a phone number, as far as the extra ``[phone]`` is installed."""

from __future__ import annotations

from nio_identity_server.threepid import ThreePid


def country_of(threepid: ThreePid) -> str | None:
    """The country that a number belongs to: two capital letters (ISO 3166-1).

    Returns:
        None if the package ``phonenumbers`` is not installed, or does not know the number.
    """
    try:
        import phonenumbers  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    try:
        number = phonenumbers.parse(f"+{threepid.address}", None)
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(number)
    # "001" stands for numbers of no country, such as satellite phones.
    return region if isinstance(region, str) and region.isalpha() else None
