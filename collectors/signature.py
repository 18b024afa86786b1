"""Who sent it: checks a delivery's signature in the forms that survey tools, helpdesks and automations use."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from escucha.errors import Refused
from escucha.source import Delivery

TOLERANCE = timedelta(minutes=5)
"""How far the time in a signed delivery may lie from ours, before or after."""
PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Scheme:
    """A form of signature: the header that carries it, whether a secret made it, and the header with its time."""

    header: str
    fits: Callable[[Delivery, str], bool]
    stamp: str | None = None


def verify(delivery: Delivery, secrets: Iterable[str]) -> None:
    """Check that one of the live secrets signed the delivery. The headers that came decide in which form.

    Raises:
        Refused: it is not signed, with another secret, or too long ago.
    """
    live = [secret for secret in secrets if secret]
    if not live:
        raise Refused("This hook has no secret yet. Set one on the page Sources, and enter it at the sender too.")
    scheme = next((scheme for scheme in SCHEMES if scheme.header in delivery.headers), None)
    if scheme is None:
        raise Refused("The delivery is not signed. Enter the hook's secret where it comes from.")
    if not any([scheme.fits(delivery, secret) for secret in live]):  # noqa: C419 (all of them, to take the same time)
        raise Refused("The signature in {header} does not fit. Enter the hook's secret again where the delivery comes "
                      "from, and send the body unchanged.", header=scheme.header)
    if scheme.stamp and not _in_time(delivery, scheme.stamp):
        raise Refused("The delivery was signed more than 5 minutes before or after now ({header}). Set the sender's "
                      "clock right and send it again.", header=scheme.stamp)


def _in_time(delivery: Delivery, header: str) -> bool:
    stamp = delivery.headers.get(header, "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    return abs(int(stamp) - delivery.at.timestamp()) <= TOLERANCE.total_seconds()


def _standard(delivery: Delivery, secret: str) -> bool:
    """Standard Webhooks 1.0.0: `v1,<base64>`, several of them apart by spaces, over id, time and body."""
    identity, stamp = (delivery.headers.get(name, "") for name in ("webhook-id", "webhook-timestamp"))
    made = base64.b64encode(_hmac(_standard_key(secret), f"{identity}.{stamp}.".encode(), delivery.body))
    told = [_same(signature, b"v1," + made) for signature in delivery.headers["webhook-signature"].split()]
    return bool(identity) and any(told)


def _standard_key(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            pass
    return secret.encode()


def _timed(delivery: Delivery, secret: str) -> bool:
    """Our own: `sha256=<hex>` over time and body."""
    stamp = delivery.headers.get("x-timestamp", "")
    made = _hmac(secret.encode(), f"{stamp}.".encode(), delivery.body).hex()
    return _same(delivery.headers["x-signature-256"], f"sha256={made}".encode())


def _typeform(delivery: Delivery, secret: str) -> bool:
    made = base64.b64encode(_hmac(secret.encode(), delivery.body))
    return _same(delivery.headers["typeform-signature"], b"sha256=" + made)


def _hub(delivery: Delivery, secret: str) -> bool:
    """As GitHub and Meta sign: `sha256=<hex>` over the body."""
    made = _hmac(secret.encode(), delivery.body).hex()
    return _same(delivery.headers["x-hub-signature-256"], f"sha256={made}".encode())


def _bearer(delivery: Delivery, secret: str) -> bool:
    kind, _, token = delivery.headers["authorization"].partition(" ")
    return kind.lower() == "bearer" and _same(token.strip(), secret.encode())


def _hmac(key: bytes, *parts: bytes) -> bytes:
    return hmac.new(key, b"".join(parts), sha256).digest()


def _same(told: str, expected: bytes) -> bool:
    return hmac.compare_digest(told.strip().encode(errors="replace"), expected)


SCHEMES = (
    Scheme("webhook-signature", _standard, "webhook-timestamp"),
    Scheme("x-signature-256", _timed, "x-timestamp"),
    Scheme("typeform-signature", _typeform),
    Scheme("x-hub-signature-256", _hub),
    Scheme("authorization", _bearer),
)
"""The surest first: where several headers come, the first of them counts."""
