"""The guard of the inner network: a collector connects only to addresses of the public internet."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from ssl import SSLContext
from typing import Any

import httpcore

from escucha.errors import Refused

# Addresses that carry an IPv4 address inside, which Python calls global: NAT64, local NAT64, 6to4, Teredo.
_CARRIERS = tuple(ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return _is_public(ip.ipv4_mapped)
        if ip.is_site_local or any(ip in net for net in _CARRIERS):
            return False
    return _is_public(ip)


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def is_allowed(host: str, port: int, allow_hosts: Iterable[str]) -> bool:
    """Whether the installation opened this host (`host` or `host:port`) although it is not public."""
    names = {host.lower(), f"{host.lower()}:{port}", f"[{host.lower()}]:{port}"}
    return any(entry.strip().lower() in names for entry in allow_hosts)


class GuardedBackend(httpcore.NetworkBackend):
    """Resolves a host, refuses what is not public, and connects to the very address that it checked.

    It is asked at each connection, so a redirect and a name that changes between two look-ups meet it too. `left`
    gives the seconds that remain for the whole fetch: no read waits longer, headers and TLS included.
    """

    def __init__(self, allow_hosts: Iterable[str], left: Callable[[], float]) -> None:
        self._allow_hosts = tuple(allow_hosts)
        self._left = left
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 (the deadline rules)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to a checked address of the host. Raises Refused, or httpcore.ConnectError."""
        problem: httpcore.ConnectError | None = None
        for address in self._checked(host, port):
            try:
                stream = self._backend.connect_tcp(address, port, self._left(), local_address, socket_options)
                return _DeadlineStream(stream, self._left)
            except httpcore.ConnectError as error:
                problem = error
        raise problem or httpcore.ConnectError("no address")

    def _checked(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not is_allowed(host, port, self._allow_hosts) and not all(is_public(address) for address in addresses):
            raise Refused(
                "{host} is inside a private network, which watches may not read. If you trust it, an administrator "
                "can add it to web.allow_hosts.",
                host=host,
            )
        return addresses


class _DeadlineStream(httpcore.NetworkStream):
    """A connection whose every step ends when the fetch's time is up (httpx's own limits are per read)."""

    def __init__(self, stream: httpcore.NetworkStream, left: Callable[[], float]) -> None:
        self._stream = stream
        self._left = left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, self._left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, self._left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, self._left()), self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
