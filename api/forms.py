"""Reads the forms that pages send."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from escucha.errors import Invalid

MAX_FIELDS = 200


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise Invalid("The form cannot be read. Go back, load the page again and send it once more.") from None


Form = Annotated[dict[str, str], Depends(_form)]
"""The fields of a form by name, as browsers send them (application/x-www-form-urlencoded)."""
