"""What Zendesk says of one member of staff now: role and groups. Plain HTTP, no SDK, so a web process may ask.

Source: Zendesk's users and group_memberships references, "Show User" and "List Memberships", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import requests

from integrations.kernel.errors import ConfigError, NeedsReauthorisation, VendorContractChanged
from integrations.kernel.records import AgentRecord
from integrations.kernel.vendor import Account
from integrations.transport.http import Gate, vendor_session
from integrations.zendesk import answers, lists
from integrations.zendesk.auth import LegacyToken, OAuth
from integrations.zendesk.endpoints import LIMITS, endpoint_of
from integrations.zendesk.settings import SUBDOMAIN

DEADLINE_S: Final = 1.5  # trust.md 2.6; the caller bounds both calls together by the same
MOST_GROUPS: Final = "100"


def connect_staff(account: Account, gate: Gate) -> Staff:
    """Look-ups at one account. Raises ConfigError when the subdomain cannot be one."""
    subdomain = str(account.config.get("subdomain", ""))
    if not SUBDOMAIN.fullmatch(subdomain):
        raise ConfigError("subdomain: letters, digits and dashes only, the part before .zendesk.com")
    gate.limit("zendesk", LIMITS)
    return Staff(account, f"{subdomain}.zendesk.com", gate)


class Staff:
    """Implements the StaffLookup port. One for all threads of a process."""

    def __init__(self, account: Account, host: str, gate: Gate) -> None:
        authorise = LegacyToken(account) if account.config.get("legacy_email") else OAuth(account, host, gate)
        self._session = vendor_session(
            account, hosts=(host,), authorise=authorise, endpoint_of=endpoint_of, gate=gate, deadline_s=DEADLINE_S,
            people=True,
        )  # fmt: skip
        self._api = f"https://{host}/api/v2"

    def look_up(self, user_id: str) -> AgentRecord | None:
        user = self._get(f"/users/{user_id}.json", {})
        if user is None:
            return None
        found = self._get(f"/users/{user_id}/group_memberships.json", {"page[size]": MOST_GROUPS})
        try:
            groups = [str(one["group_id"]) for one in (found or {})["group_memberships"]]
            return lists.agent(user["user"], groups)
        except (KeyError, TypeError, ValueError) as error:
            raise VendorContractChanged("a user in an unknown shape") from error

    def _get(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any] | None:
        """One reading; None for who is not there. Raises VendorRejected, and the transport's errors."""
        response: requests.Response = self._session.get(f"{self._api}{path}", params=query)
        if response.status_code == 404:
            return None
        if response.status_code == 403:
            raise NeedsReauthorisation("the users may not be read: the scope is missing")
        if response.status_code >= 400:
            raise answers.rejected(response)
        try:
            answer = response.json()
        except ValueError as error:
            raise VendorContractChanged("no JSON") from error
        return answer if isinstance(answer, dict) else {}
