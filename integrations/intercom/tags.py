"""Which id a tag has: Intercom writes tags by id. One list for all threads of a process, warmed by one call.

Source: Intercom's OpenAPI document 2.15: `GET /tags` lists all at once; `POST /tags` creates one, or answers
the one there is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from integrations.kernel.errors import VendorContractChanged

Ask = Callable[..., Mapping[str, Any]]


class Tags:
    """Ids by name. Names are compared in lower case, as the mirror holds them; of two that differ only in case, one written
    like the mirror's wins.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._ids: dict[str, str] = {}
        self._is_warm = False

    def id_to_add(self, name: str) -> str:
        """The tag's id; the tag is made when there is none."""
        with self._lock:
            self._warm()
            if name.lower() not in self._ids:
                self._ids[name.lower()] = _id(self._ask("POST", "/tags", json={"name": name}))
            return self._ids[name.lower()]

    def id_to_remove(self, name: str) -> str | None:
        """The tag's id, looked for once more when it is not known; None: no conversation can have it."""
        with self._lock:
            fresh = self._warm()
            if name.lower() not in self._ids and not fresh:
                self._is_warm = False
                self._warm()
            return self._ids.get(name.lower())

    def forget(self, name: str) -> None:
        """Its id was refused: somebody deleted the tag."""
        with self._lock:
            self._ids.pop(name.lower(), None)

    def _warm(self) -> bool:
        """Fetch the list where it is not known; answers whether that was done now."""
        if self._is_warm:
            return False
        found = self._ask("GET", "/tags").get("data")
        if not isinstance(found, list):
            raise VendorContractChanged("tags answered without a list")
        names = sorted((str(tag["name"]), _id(tag)) for tag in found if isinstance(tag, dict) and tag.get("name"))
        self._ids = {name.lower(): tag_id for name, tag_id in names}  # sorted: capitals first, so lower case stays
        self._is_warm = True
        return True


def _id(tag: Mapping[str, Any]) -> str:
    if not tag.get("id"):
        raise VendorContractChanged("a tag without an id")
    return str(tag["id"])
