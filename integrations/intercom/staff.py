"""What Intercom says of one admin now: plain HTTP, a short deadline, no SDK, so a web process may ask."""

from __future__ import annotations

from typing import Final

from integrations.intercom import answers, people
from integrations.intercom.client import Token
from integrations.intercom.endpoints import LIMITS, endpoint_of
from integrations.intercom.settings import HOSTS, VERSION
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import ConfigError, VendorContractChanged
from integrations.kernel.records import AgentRecord
from integrations.kernel.vendor import Account
from integrations.transport.http import Gate, vendor_session

DEADLINE_S: Final = 1.5  # trust.md 2.6: somebody waits for the canvas


def connect_staff(account: Account, gate: Gate) -> Staff:
    """Look-ups in one workspace. Raises ConfigError for a region that is none."""
    region = str(account.config.get("region") or "us")
    if region not in HOSTS:
        raise ConfigError(f"region: one of {', '.join(HOSTS)}, where the workspace lives")
    gate.limit("intercom", LIMITS)
    return Staff(account, HOSTS[region], gate)


class Staff:
    """Implements the StaffLookup port. One for all threads of a process."""

    def __init__(self, account: Account, host: str, gate: Gate) -> None:
        self._session = vendor_session(
            account, hosts=(host,), authorise=Token(account), endpoint_of=endpoint_of, gate=gate, deadline_s=DEADLINE_S,
            people=True,
        )  # fmt: skip
        self._session.headers.update({"Intercom-Version": VERSION, "Accept": "application/json"})
        self._url = f"https://{host}/admins"

    def look_up(self, user_id: str) -> AgentRecord | None:
        now, answer = utc_now(), answers.body_of(self._session.request("GET", self._url), "admins")
        try:
            return next((people.admin(one, now) for one in answer["admins"] if str(one["id"]) == user_id), None)
        except (KeyError, TypeError, AttributeError) as error:
            raise VendorContractChanged("admins answered in an unknown shape") from error
