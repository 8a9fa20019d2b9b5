"""Scripts and styles under a name with the hash of their content: they never change, so they are kept for ever."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Response, request

from integrations.kernel.errors import NotFound

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOREVER = "public, max-age=31536000, immutable"
SHARED = Path(__file__).with_name("static")
GZIP_FROM_BYTES = 400  # smaller answers grow


@dataclass(frozen=True, slots=True)
class Asset:
    """One file. packed: its gzip."""

    name: str
    hash: str
    body: bytes
    packed: bytes
    mimetype: str


class Assets:
    """The files of some folders, read at the start; a name that is in two folders is a mistake.

    A module imports another by its plain name, so all are served below one path that holds the hash of all of them.
    """

    def __init__(self, *folders: Path) -> None:
        self._files: dict[str, Asset] = {}
        for path in sorted(p for folder in folders for p in folder.iterdir() if p.suffix in TYPES):
            if path.name in self._files:
                raise ValueError(f"two assets are called {path.name}")
            body = path.read_bytes()
            packed = gzip.compress(body, 9, mtime=0)
            digest = hashlib.sha256(body).hexdigest()
            self._files[path.name] = Asset(path.name, digest, body, packed, TYPES[path.suffix])
        all_hashes = "".join(one.hash for one in self._files.values())
        self.version = hashlib.sha256(all_hashes.encode()).hexdigest()[:12]

    def get(self, version: str, name: str) -> Response:
        """The answer for one file. Raises NotFound, for another version too: a stale page must not mix two."""
        found = self._files.get(name) if version == self.version else None
        if found is None:
            raise NotFound
        packs = "gzip" in request.headers.get("Accept-Encoding", "")
        response = Response(found.packed if packs else found.body, mimetype=found.mimetype)
        if packs:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = FOREVER
        return response


def pack(response: Response) -> Response:
    """Gzip a text answer of ours, where the browser takes it."""
    if (
        response.direct_passthrough
        or "Content-Encoding" in response.headers
        or not (response.mimetype or "").startswith(("text/", "application/json"))
        or "gzip" not in request.headers.get("Accept-Encoding", "")
        or len(body := response.get_data()) < GZIP_FROM_BYTES
    ):
        return response
    response.set_data(gzip.compress(body, 6, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    return response
