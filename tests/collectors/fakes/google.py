"""Google's sign-in, as the services of Google use it."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.collectors.fakes.upstream import NOW, SECRET

ACCESS = f"{SECRET}-access"
"""The token that is given."""
CONSENT = {"client_id": "1.apps", "client_secret": f"{SECRET}-client", "refresh_token": f"{SECRET}-refresh"}


@cache
def private_key() -> rsa.RSAPrivateKey:
    """A service account's key."""
    return rsa.generate_private_key(65537, 2048)


def private_pem() -> str:
    """The same as a key file holds it."""
    return private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def sign_in(request: httpx.Request, now: datetime = NOW) -> httpx.Response:
    """The answer to a request for an access token."""
    form = dict(parse_qsl(request.content.decode()))
    if form["grant_type"] == "refresh_token":
        known = {name: form.get(name) for name in CONSENT} == CONSENT
    else:
        said = jwt.decode(
            form["assertion"], private_key().public_key(), algorithms=["RS256"],
            audience="https://oauth2.googleapis.com/token", options={"verify_exp": False, "verify_iat": False},
        )
        lasts, age = said["exp"] - said["iat"], now.timestamp() - said["iat"]
        known = 0 <= age < lasts <= 3600 and bool(said["scope"])
    if not known:
        return httpx.Response(400, json={"error": "invalid_grant", "error_description": "Token has been revoked."})
    return httpx.Response(200, json={"access_token": ACCESS, "expires_in": 3599, "token_type": "Bearer"})


def is_signed(request: httpx.Request) -> bool:
    """Whether a request carries the token."""
    return request.headers.get("authorization") == f"Bearer {ACCESS}"


def complaint(code: int, status: str, **detail: Any) -> httpx.Response:
    """An error as Google's services tell it."""
    return httpx.Response(code, json={"error": {
        "code": code, "message": "x", "status": status, "details": [detail] if detail else [],
    }})  # fmt: skip
