"""Salesforce by simple-salesforce, on our own session: deadlines, budgets, sessions and typed faults are the transport's.

The library is given a session id of no worth and never logs in by itself: its own repeat after a 401 loses headers, and its
calls by object forget how often they tried. Queries, paths and quoting are its; CSV goes through its session, as it reads
JSON only. Source: simple-salesforce 1.12.10 and vendor sheet 4.2, read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError
from simple_salesforce.format import format_soql

from integrations.kernel.crm import (
    Bulk,
    DirectoryPage,
    DirectorySource,
    Draft,
    PushResult,
    Shape,
    Standing,
    StandingPage,
    Usage,
)
from integrations.kernel.errors import NeedsReauthorisation, OutcomeUnknown, VendorContractChanged, VendorError
from integrations.kernel.vendor import Account
from integrations.salesforce import checking, faults, reading, setting_up
from integrations.salesforce.auth import Sessions
from integrations.salesforce.bulk import Jobs
from integrations.salesforce.changes import Changes
from integrations.salesforce.endpoints import LIMITS, endpoint_of
from integrations.salesforce.ends import Done
from integrations.salesforce.faults import Answered
from integrations.salesforce.org import OBJECTS, NeedsSetup, Sheets, no_key
from integrations.salesforce.pushing import Pushes, outcomes
from integrations.salesforce.reading import CHUNK, Query, Row
from integrations.salesforce.settings import DAILY_SHARE, KEY_FIELD, VERSION, extra_fields, field_name, host_of
from integrations.salesforce.words import Choices
from integrations.transport.http import Gate, vendor_session

DEADLINE_S: Final = 60.0  # two hundred records may set two hundred of the org's flows going
_USAGE = re.compile(r"(?:^|[;\s])api-usage=(\d{1,12})/(\d{1,12})")
_RULE: Final = "SELECT Id FROM AssignmentRule WHERE SobjectType = 'Lead' AND Active = true LIMIT 1"


def connect(account: Account, gate: Gate) -> SalesforceClient:
    """A client of one org. Raises ConfigError for settings that cannot be right."""
    gate.limit("salesforce", LIMITS)
    return SalesforceClient(account, gate)


class SalesforceClient:
    """Implements the Crm port, and the setup of an org. One for all threads of a process."""

    def __init__(self, account: Account, gate: Gate) -> None:
        host = host_of(account.config)
        # The org says with every answer how many calls a day it allows; the gate reads that here.
        self._config: dict[str, Any] = {"daily_share": DAILY_SHARE, **account.config}
        account = Account(account.connection_id, account.vendor, account.base_url, self._config, account.secrets)
        self._account, self._gate = account, gate
        self._session = vendor_session(
            account, hosts=(host,), authorise=Sessions(account, host, gate), endpoint_of=endpoint_of, gate=gate,
            deadline_s=DEADLINE_S, wait_s=2.0,
        )  # fmt: skip
        self._session.hooks["response"].append(self._hear)
        self._usage = Usage()
        self._sf = Salesforce(
            session_id="-", instance_url=f"https://{host}", session=self._session, version=VERSION, parse_float=Decimal
        )
        self._sf.headers.pop("X-PrettyPrint", None)
        self._key = field_name(account.config, "key_field", KEY_FIELD)
        self._currency = str(account.config.get("currency") or "")
        choices = Choices(extra_fields(account.config), self._currency, str(account.config.get("stage") or ""))
        self._sheets = Sheets(lambda name: self._told(self.call("GET", f"sobjects/{name}/describe")))
        self._pushes = Pushes(self.ask, self._sheets, self._key, choices, self.find, self._adopt)
        self._jobs = Jobs(self.call, self._transfer, self._pushes.sheet, self._assignment_rule, self._key, choices)
        self._changes = Changes(self.rows, self._sheets, self._key, self._currency, account.config)

    def push(self, drafts: Sequence[Draft]) -> Sequence[PushResult]:
        return self._pushes.push(drafts)

    def bulk(self, drafts: Sequence[Draft]) -> str:
        return self._jobs.start(drafts)

    def bulk_state(self, job_id: str, shape: Shape) -> Bulk:
        return self._jobs.state(job_id)

    def bulk_abort(self, job_id: str) -> None:
        self._jobs.abort(job_id)

    def find(self, shape: Shape, keys: Sequence[str]) -> Mapping[str, Standing]:
        """One call for 200 keys. Raises NeedsSetup where the object has no key field."""
        if not self._sheets.of(OBJECTS[shape]).has_key(self._key):
            self._sheets.forget()
            raise NeedsSetup(no_key(OBJECTS[shape], self._key))
        asked = {one.casefold(): one for one in keys}
        found = self._records(shape, self._key, keys, reading.DESCRIPTION)
        return {asked[one.key.casefold()]: one for one in found if one.key.casefold() in asked}

    def show(self, shape: Shape, object_ids: Sequence[str], *, gone: bool = False) -> Mapping[str, Standing]:
        """One call for 200 ids, of 15 or 18 characters."""
        asked = {one[:15]: one for one in object_ids}
        return {asked[one.object_id[:15]]: one for one in self._records(shape, "Id", object_ids, gone=gone)}

    def source(self, *, anew: bool = False) -> DirectorySource:
        if anew:
            self._sheets.forget()
        return DirectorySource(host_of(self._config), self._changes.fields())

    def directory(self, cursor: str = "") -> DirectoryPage:
        return self._changes.directory(cursor)

    def standings(self, cursor: str, since: datetime) -> StandingPage:
        return self._changes.standings(cursor, since)

    def usage(self) -> Usage:
        room = self._gate.room(self._account)
        return replace(self._usage, ours=room.made, share=room.share, wait_s=room.wait_s)

    def check(self) -> list[str]:
        """Seven calls: the org's limits, and what it has of the three objects we write and the three we read."""
        try:
            self.call("GET", "limits")
            return checking.problems(self._sheets, self._key, self._config, self._usage)
        except VendorError as error:
            return [str(error) if isinstance(error, NeedsReauthorisation) else f"{error.public} ({error})"]

    def setup(self) -> setting_up.Setup:
        """What an admin's command does with the org's fields."""
        self._sheets.forget()
        tooling, stage = (lambda query: self._query("tooling/query", query)[0]), str(self._config.get("stage") or "")
        return setting_up.Setup(self.call, tooling, self._sheets, self._key, stage)

    def rows(self, query: Query, *, deleted: bool = False) -> tuple[list[Row], bool]:
        """One page of a query, and whether Salesforce has more of it."""
        return self._query("queryAll" if deleted else "query", query)

    def _query(self, path: str, query: Query) -> tuple[list[Row], bool]:
        text, values = query
        told = self._told(self.call("GET", path, params={"q": format_soql(text, *values)}))
        found = told.get("records")
        if not isinstance(found, list):
            raise VendorContractChanged("a query was answered without records")
        return found, told.get("done") is False

    def call(
        self, method: str, path: str, *, json: object = None, headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Any:  # noqa: ANN401 - JSON  # fmt: skip
        """One call. Raises VendorRejected for what it refused, and what faults and the transport say."""
        try:
            return self.ask(method, path, json=json, headers=headers, params=params)
        except Answered as said:
            raise faults.of_call(endpoint_of(method, f"/{path}"), said.status, said.content) from said

    def ask(
        self, method: str, path: str, *, json: object = None, headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Any:  # noqa: ANN401 - JSON  # fmt: skip
        """One call through the library. Raises Answered for a refusal, and the transport's errors."""
        more: dict[str, Any] = {} if json is None else {"json": json}
        try:
            return self._sf.restful(
                path, params=dict(params) if params else None, method=method, headers=dict(headers or {}), **more
            )
        except SalesforceError as error:
            raise Answered(error.status, error.content) from error
        except (ValueError, TypeError) as error:  # no JSON: a write may have happened all the same
            unread = VendorContractChanged if method == "GET" else OutcomeUnknown
            raise unread(f"{endpoint_of(method, f'/{path}')} answered no JSON") from error

    def _transfer(self, method: str, path: str, body: bytes = b"") -> str:
        """CSV up or down."""
        url = f"{self._sf.base_url}{path}"
        headers = {"Content-Type": "text/csv; charset=UTF-8"} if body else {"Accept": "text/csv"}
        response = self._session.request(method, url, data=body or None, headers=headers)
        if response.status_code >= 300:
            raise faults.of_call(endpoint_of(method, f"/{path}"), response.status_code, _content(response))
        return response.content.decode("utf-8", "replace")

    def _records(
        self, shape: Shape, field: str, values: Sequence[str], *more: str, gone: bool = False
    ) -> Iterator[Standing]:
        sheet = self._sheets.of(OBJECTS[shape])
        names = [*reading.standing_fields(shape, sheet, self._key), *(name for name in more if name in sheet.fields)]
        for some in _chunks(values):
            rows, _ = self.rows(reading.by_ids(shape, names, field, some), deleted=gone)
            try:
                yield from (reading.standing(shape, row, self._key, self._currency) for row in rows)
            except (KeyError, TypeError, ValueError) as error:
                raise VendorContractChanged(f"a {OBJECTS[shape]} in an unknown shape") from error

    def _adopt(self, shape: Shape, records: Mapping[str, str]) -> Mapping[str, Standing]:
        """Our keys on records that stand for drafts of ours: then they are told of like those we made. One that has a key
        keeps it; that it could not be done costs only that. Answers what they said before, as far as it was seen, with the
        key they have now: the call may be taken and one of its records refused."""
        shown: Mapping[str, Standing] = {}
        try:
            shown = self.show(shape, list(records))
            free = [one for one, was in shown.items() if not was.key]
            kind = {"attributes": {"type": OBJECTS[shape]}}
            told = [{**kind, "id": one, self._key: records[one]} for one in free]
            if told:
                answer = self.call("PATCH", "composite/sobjects", json={"allOrNone": False, "records": told})
                done = zip(free, outcomes(answer, len(told)), strict=True)
                shown = {
                    **shown,
                    **{one: replace(shown[one], key=records[one]) for one, end in done if isinstance(end, Done)},
                }
        except VendorError:
            return shown
        return shown

    def _assignment_rule(self) -> str:
        """The id of the active rule for Leads; "" where there is none, or it cannot be seen."""
        try:
            rows, _ = self.rows((_RULE, ()))
        except VendorError:
            return ""
        return str(rows[0]["Id"]) if rows else ""

    def _hear(self, response: requests.Response, *_: Any, **__: Any) -> None:  # noqa: ANN401 - of requests
        """What every answer tells of the day's calls; the library does not keep it for all of its calls."""
        if found := _USAGE.search(response.headers.get("Sforce-Limit-Info", "")):
            self._usage = Usage(int(found[1]), int(found[2]))
            self._config["calls_per_day"] = found[2]
        if response.status_code == 403 and faults.is_day_limit(_content(response)):
            self._gate.close(self._account, faults.DAY_LIMIT_S)

    @staticmethod
    def _told(answer: Any) -> Mapping[str, Any]:  # noqa: ANN401 - JSON
        if not isinstance(answer, Mapping):
            raise VendorContractChanged("an answer that is no object")
        return answer


def _content(response: requests.Response) -> Any:  # noqa: ANN401 - JSON or text
    try:
        return response.json()
    except ValueError:
        return response.text


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    every = list(dict.fromkeys(values))
    return (every[start : start + CHUNK] for start in range(0, len(every), CHUNK))
