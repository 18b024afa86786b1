"""Finds a model's folder: on this machine, among what was fetched before, or on the model hub."""

from __future__ import annotations

import json
import re
from pathlib import Path

from nlp.hub.opened import cannot_open

PATIENCE = 5
"""Seconds until a model hub that does not answer counts as out of reach."""
ENDINGS = ("safetensors", "bin", "onnx")
_PLAIN = ["*.json", "*.txt", "*.model", "*.jinja"]
_COMMIT = re.compile(r"[0-9a-f]{40}")


def located(model: str, *, fresh: bool = False) -> Path:
    """The folder that holds a model: `model` itself, or where the hub's files lie once they are fetched.

    What was fetched before is used as it is, without asking the network, unless `fresh`: then the hub is asked for
    changes first, and only a hub that cannot be reached leaves it at what is there.

    Raises:
        ModelError: no such folder, no such name, or no hub within reach.
    """
    if Path(model).is_dir():
        return Path(model)
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model):  # cannot be a hub's name: a path that is not there
        raise cannot_open(model, "there is no such folder")
    try:
        if not fresh and (folder := kept(model)):
            return folder
        return _fetched(model)
    except Exception as error:  # the hub's library raises OSError, its own kinds, and those of its web client
        if fresh and (folder := kept(model)):
            return folder
        raise cannot_open(model, _reason(error)) from error


def commit_of(folder: Path) -> str | None:
    """The commit of a folder that came from the hub; None for any other."""
    return folder.name if folder.parent.name == "snapshots" and _COMMIT.fullmatch(folder.name) else None


def kept(model: str) -> Path | None:
    """Where a hub's model lies on this machine since it was fetched; None if it was not, or not wholly."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(model, local_files_only=True, allow_patterns=_PLAIN))
    except LocalEntryNotFoundError:
        return None
    return folder if _has_weights(folder) else None


def _fetched(model: str) -> Path:
    from huggingface_hub import HfApi, snapshot_download

    seen = HfApi().model_info(model, timeout=PATIENCE)
    weights = _weights([file.rfilename for file in seen.siblings or ()])
    return Path(snapshot_download(model, etag_timeout=PATIENCE, allow_patterns=[*_PLAIN, *weights]))


def _weights(files: list[str]) -> list[str]:
    """One form of the weights is enough, and only those of the root and of the steps after the encoder (2_Dense/…)."""
    for ending in ENDINGS:
        if any(re.fullmatch(rf"[^/]+\.{ending}", file) for file in files):
            return [file for file in files if re.fullmatch(rf"(\d_\w+/)?[^/]+\.{ending}", file)]
    return []


def _has_weights(folder: Path) -> bool:
    if indexes := list(folder.glob("*.index.json")):
        shards = [set(json.loads(index.read_text("utf-8"))["weight_map"].values()) for index in indexes]
        return any(all((folder / shard).exists() for shard in form) for form in shards)
    return any(folder.glob(f"*.{ending}") for ending in ENDINGS)


def _reason(error: Exception) -> str:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    if isinstance(error, GatedRepoError):
        return "its owner asks for an account (set HF_TOKEN)"
    if isinstance(error, RepositoryNotFoundError):
        return "the model hub has no such name, or only shows it to an account (set HF_TOKEN)"
    return f"the model hub cannot be reached ({type(error).__name__})"
