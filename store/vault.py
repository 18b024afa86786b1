"""Locks what must not be read by whoever finds the database: keys of sources, with a key that lies elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from escucha.errors import ConfigError


class Vault:
    """Seals and opens short texts with one key (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, key: str) -> None:
        try:
            self._fernet = Fernet(key.encode())
        except ValueError:
            raise ConfigError(
                "The setting secret_key is no key. Leave it empty, or set what `escucha secret-key` prints."
            ) from None

    def seal(self, text: str) -> str:
        """The text, encrypted."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text again. Raises ConfigError where another key sealed it."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise ConfigError(
                "The stored keys of sources were encrypted with another secret key. Set that one again, or enter the "
                "keys of the sources anew."
            ) from None


def new_key() -> str:
    """A fresh random key, as text."""
    return Fernet.generate_key().decode()


def key_in(file: Path) -> str:
    """The key in a file that only its owner may read; it is made where there is none.

    Raises:
        ConfigError: others may read the file, or it cannot be made.
    """
    try:
        return _made(file) if not file.exists() else _read(file)
    except OSError as error:
        raise ConfigError("The file {file} cannot be read or made: {reason}.", file=str(file),
                          reason=error.strerror) from None


def _read(file: Path) -> str:
    if file.stat().st_mode & 0o077:
        raise ConfigError("Others may read the secret key in {file}. Close it: chmod 600 {file}", file=str(file))
    return file.read_text("ascii").strip()


def _made(file: Path) -> str:
    """Written beside and linked into place, so that two processes that start together agree on one key."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(new_key())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return _read(file)
