"""Unpacks a compressed answer no further than we want to read it, so that no server can fill our memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from escucha.errors import Refused, TryLater

CHUNK = 16_384
"""Bytes read from the wire at a time; what one chunk unpacks to is bounded by what may still come."""


def unpack(chunks: Iterable[bytes], encoding: str, limit: int, host: str) -> bytes:
    """The body behind the raw chunks, at most `limit` bytes. `encoding` is gzip, deflate or empty.

    Raises:
        Refused: the answer is larger, or in an encoding that we did not ask for.
        TryLater: the packed data are broken or end too early.
    """
    inflate = None if encoding in ("", "identity") else _Inflate(encoding, host)
    body = bytearray()
    for chunk in chunks:
        body += inflate.feed(chunk, limit - len(body) + 1) if inflate else chunk
        if len(body) > limit:
            raise Refused(
                "The answer of {host} is larger than {limit} bytes. Use a smaller feed, or an administrator can "
                "raise web.max_bytes.",
                host=host, limit=limit,
            )
    if inflate and not inflate.complete:
        raise _broken(host)
    return bytes(body)


class _Inflate:
    def __init__(self, encoding: str, host: str) -> None:
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise Refused(
                "{host} answers in a packing that we did not ask for ({encoding}). Use another address.",
                host=host, encoding=encoding,
            )
        self._host = host
        self._raw_allowed = encoding == "deflate"
        self._stream: zlib._Decompress | None = None

    def feed(self, chunk: bytes, room: int) -> bytes:
        if self._stream is None and chunk:
            # Some servers send deflate without zlib's header, whose first byte ends in 8.
            bare = self._raw_allowed and chunk[0] & 0x0F != 8
            self._stream = zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS | 32)
        try:
            return self._stream.decompress(chunk, room) if self._stream else b""
        except zlib.error:
            raise _broken(self._host) from None

    @property
    def complete(self) -> bool:
        return self._stream is None or self._stream.eof


def _broken(host: str) -> TryLater:
    return TryLater("The answer of {host} broke off. Nothing is lost: the watch goes on by itself.", host=host)
