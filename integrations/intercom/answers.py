"""Intercom's refusals and answers in our words. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import requests

from integrations.intercom.words import Item, parts
from integrations.kernel.errors import NeedsReauthorisation, VendorContractChanged, VendorError, VendorRejected
from integrations.kernel.ports import WriteResult, WriteState

TWICE = (
    "Intercom refused the custom attributes. Does each exist, with this kind of value, and only once? Two live "
    "attributes of one name are refused: rename or archive one in the workspace's settings."
)


def body_of(response: requests.Response, endpoint: str) -> Mapping[str, Any]:
    """The answer's object. Raises VendorRejected or NeedsReauthorisation for 4xx, VendorContractChanged for no object."""
    if response.status_code >= 400:
        raise rejected(response)
    try:
        answer = response.json() if response.content else {}
    except ValueError as error:
        raise VendorContractChanged(f"{endpoint} answered no JSON") from error
    if not isinstance(answer, dict):
        raise VendorContractChanged(f"{endpoint} answered no object")
    return answer


def rejected(response: requests.Response) -> VendorError:
    """A 4xx as an error of ours, with Intercom's own code. Source: OpenAPI document 2.15, `error`, read 2026-11."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    code, message = str(first.get("code") or "")[:80], str(first.get("message") or "")[:200]
    if response.status_code == 403:
        return NeedsReauthorisation(
            f"403 {code}: a permission of the app is missing, or the plan has no access to the API"
        )
    told = f"{response.status_code} {code} {message}".strip()
    return VendorRejected(told, http_status=response.status_code, vendor_code=code)


def refusal(ticket_id: str, error: VendorRejected, *, attributes: bool) -> WriteResult:
    """What a refused write of one conversation means. attributes: it was of custom attributes."""
    state = {404: WriteState.GONE, 409: WriteState.CONFLICT}.get(error.http_status, WriteState.REFUSED)
    detail = f"{TWICE} ({error})" if attributes and error.http_status == 400 else str(error)
    return WriteResult(ticket_id, state, detail[:400])


def has_marker(conversation: Item, wanted: re.Pattern[str]) -> bool:
    """Is one of its parts an internal note that carries the marker?"""
    return any(p.get("part_type") == "note" and wanted.search(str(p.get("body") or "")) for p in parts(conversation))
