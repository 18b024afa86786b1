"""A small upstream on loopback: what it answers is set by the test, what it was asked is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Upstream:
    """`answers` maps a path to (status, content type, body); `asked` lists the paths asked for."""

    url: str = ""
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, path: str, body: bytes | str, status: int = 200, **headers: str) -> str:
        """Answer a path from now on; its address."""
        content = body.encode() if isinstance(body, str) else body
        self.answers[path] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, content)
        return self.url + path

    @property
    def host(self) -> str:
        """host:port, as the address guard wants its exceptions."""
        return self.url.removeprefix("http://")


@contextmanager
def upstream() -> Iterator[Upstream]:
    """A running upstream on a free loopback port."""
    here = Upstream()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.asked.append(self.path)
            status, headers, body = here.answers.get(self.path.split("?")[0], (404, {}, b"not here"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # an upstream that signs in answers a POST in the same way

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def feed(*items: str, first: int = 1) -> str:
    """An RSS feed with these texts, numbered from `first`, one an hour."""
    entries = "".join(
        f"<item><guid>g{n}</guid><title>Nota {n}</title><link>https://medio.invalid/{n}</link>"
        f"<description>{text}</description><pubDate>Fri, 20 Nov 2026 {n % 12:02d}:00:00 GMT</pubDate></item>"
        for n, text in enumerate(items, first)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Medio</title>'
        f"<link>https://medio.invalid/</link><description>d</description>{entries}</channel></rss>"
    )
