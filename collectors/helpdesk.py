"""What the collectors of help desks share: customers write there in private, so their addresses are never kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from escucha.errors import Refused
from escucha.mention import Author

MASK = "[e-mail]"
"""What stands in place of an e-mail address, in texts and raw forms alike."""
_ADDRESS = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PRIVATE = frozenset({
    "phone", "mobile", "phones", "formatted_phone", "raw_phone", "ip_address", "twitter_id", "fb_profile_id",
})  # fmt: skip


def masked(value: Any, levels: int = 100) -> Any:
    """The JSON value without e-mail addresses, telephone numbers and network addresses, however deep they stand.

    What is nested deeper than any help desk does is left out.
    """
    if isinstance(value, str):
        return _ADDRESS.sub(MASK, value)
    if isinstance(value, Mapping | list) and levels == 0:
        return None
    if isinstance(value, Mapping):
        return {name: masked(entry, levels - 1) for name, entry in value.items() if name not in _PRIVATE}
    if isinstance(value, list):
        return [masked(entry, levels - 1) for entry in value]
    return value


def pseudonym(source: str, email: Any, identity: Any) -> str | None:
    """An id for a customer that tells no address: a fingerprint of the e-mail, else the help desk's own id.

    The fingerprint is the source's own, so that nobody is joined across sources; who knows the address can find what
    is kept of a person, for export and erasure.
    """
    if isinstance(email, str) and email.strip():
        return sha256(f"{source} {email.strip().lower()}".encode(errors="replace")).hexdigest()[:32]
    return str(identity) if identity is not None else None


def signed(source: str, item: Any, person: Any, identity: Any) -> Any:
    """A help desk's item as it may be kept: masked, with the customer under `customer` as a pseudonym.

    An item or a person without the form expected is masked and goes on, to be refused by itself.
    """
    clean = masked(item)
    if not isinstance(clean, dict):
        return clean
    known = person if isinstance(person, Mapping) else {}
    name = masked(known.get("name"))
    return {**clean, "customer": {
        "id": pseudonym(source, known.get("email"), identity),
        "name": name if isinstance(name, str) and MASK not in name else None,
        "role": known.get("role") or known.get("type"),
    }}  # fmt: skip


def author_of(item: Mapping[str, Any]) -> Author | None:
    """The customer of a signed item. Help desks know no followers."""
    customer = item["customer"]
    if not customer["id"]:
        return None
    return Author(id=customer["id"], handle=customer["name"] or customer["id"], name=customer["name"])


def account(text: str, host: str) -> str:
    """The account's name in a query such as `lumbre` or `https://lumbre.zendesk.com`; `host` is `zendesk.com`.

    Raises:
        Refused: it is neither; keys are sent to no other host.
    """
    found = re.fullmatch(rf"(?:https://)?([a-z0-9][a-z0-9-]*)(?:\.{re.escape(host)}(?:/\S*)?)?", text.strip().lower())
    if not found:
        raise Refused("Write the address of your help desk, such as {example}.", example=f"lumbre.{host}")
    return found[1]
