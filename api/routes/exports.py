"""Mentions as a file over HTTP: what a filter means, in the format that is asked for, sent while it is read."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from api.asked import meant
from api.deps import Db, Parts
from api.exports.files import stream
from api.exports.wish import FORMATS, FormatName, Separator, Wish, check_size, file_name
from api.schemas import ErrorOut
from api.selection import Filters
from store import brands, metrics

router = APIRouter(prefix="/mentions/export", tags=["mentions"])


class ExportQuery(Filters):
    """The filter, and what kind of file is wished."""

    format: FormatName = Field("csv", description="xlsx holds 100,000 mentions at most, the others 1,000,000.")
    raw: bool = Field(False, description="jsonl: with the sources' own answers, as `raw`, where they are still kept.")
    excel: bool = Field(False, description="csv: begins with the mark (BOM) by which Excel knows UTF-8.")
    separator: Separator = Field("comma", description="csv: what parts the columns.")


@router.get(
    "", response_class=StreamingResponse, summary="Mentions as a file, newest first",
    responses={200: {"content": {form.media.partition(";")[0]: {} for form in FORMATS.values()},
                     "description": "The file, sent while it is read."}, 404: {"model": ErrorOut}},
)
def export_mentions(session: Db, parts: Parts, query: Annotated[ExportQuery, Query()]) -> StreamingResponse:
    """Every mention that the filter means, in one file. Its columns are told in docs/exports.md."""
    wish = Wish(format=query.format, raw=query.raw, excel=query.excel, separator=query.separator)
    filter = meant(session, query, parts.catalogue)
    check_size(metrics.count(session, filter), wish.format)
    zone = ZoneInfo(brands.get(session, query.brand).timezone if query.brand else "UTC")
    name = file_name(query.brand, (query.from_, query.to), parts.clock().astimezone(zone).date(), wish.format)
    return StreamingResponse(
        stream(parts.store, filter, wish), media_type=FORMATS[wish.format].media,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
