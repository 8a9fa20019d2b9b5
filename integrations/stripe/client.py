"""Stripe by its SDK, on our own session: own time-outs, no retries of its own, no telemetry, raw answers only.

Source: stripe-python 16.1.0, read 2026-11. Typed objects cost thirty times what plain JSON costs (bench.md), and
`StripeClient.raw_request` renders every body for its debug log and parses it into ordered pairs: so reads take the SDK's
HTTP client one step below it, with the SDK's API version, and parse the bytes once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import orjson
import stripe

from integrations.kernel.billing import Gone
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import (
    ConfigError,
    NeedsReauthorisation,
    VendorContractChanged,
    VendorError,
    VendorRejected,
    VendorUnavailable,
)
from integrations.kernel.ports import BillingPage
from integrations.kernel.vendor import Account
from integrations.stripe.lists import EXPANDABLE, PATHS, coupon_ids, endpoint_of, put_coupons, windows
from integrations.stripe.objects import record
from integrations.stripe.refunding import StripeRefunds, refused_write, unreadable_write
from integrations.transport.http import Gate, vendor_session

HOST = "api.stripe.com"
PAGE = 100
DEADLINE_S = 20.0
REFUND_DEADLINE_S = 10.0  # trust.md 0.2: the SDK's own 80 s and retries would hold a worker for minutes
COUPONS_KEPT = 2_000


def connect(account: Account, gate: Gate) -> StripeBilling:
    """A client of one account."""
    return StripeBilling(account, gate)


def connect_refunds(account: Account, gate: Gate, deadline_s: float = REFUND_DEADLINE_S) -> StripeRefunds:
    """The client that moves money: people first in every budget, no wait for it, no retries below it.

    Raises:
        ConfigError: a secret key, which may do anything, where a restricted one is enough.
    """
    if account.secret("api_key").startswith("sk_") and account.config.get("full_key") != "allowed":
        raise ConfigError(
            f"{account.connection_id} has a secret key (sk_). Give it a restricted one (rk_) that may write refunds, or "
            "set full_key=allowed if you know why."
        )
    return StripeRefunds(_Wire(account, gate, deadline_s=deadline_s, people=True, wait_s=0.0))


class _Wire:
    """One account over the SDK's HTTP client, one step below its retries: nothing here repeats a call by itself."""

    def __init__(self, account: Account, gate: Gate, *, deadline_s: float, people: bool, wait_s: float) -> None:
        if (limit := getattr(gate, "limit", None)) is not None:
            limit("stripe", {"account": (int(account.config.get("calls_per_second", 25)), 1.0)})
        stripe.enable_telemetry = False
        session = vendor_session(
            account, hosts=(HOST,), authorise=None, endpoint_of=endpoint_of, gate=gate, deadline_s=deadline_s,
            people=people, wait_s=wait_s,
        )  # fmt: skip
        self._http = stripe.RequestsClient(session=session, timeout=deadline_s)
        self._headers = {
            "Authorization": f"Bearer {account.secret('api_key')}",
            "Stripe-Version": str(stripe.api_version),
            "User-Agent": "Deskbridge",
        }

    def get(self, path: str, query: Sequence[tuple[str, str]]) -> tuple[Mapping[str, Any], datetime]:
        """One raw GET: plain JSON, and Stripe's own time. Raises kernel errors only."""
        url = f"https://{HOST}{path}?{urlencode(query)}" if query else f"https://{HOST}{path}"
        try:
            body, status, headers = self._http.request("get", url, self._headers)
        except stripe.APIConnectionError as error:
            raise _inner(error) from error
        value = _object(body)
        if value is None:
            raise VendorContractChanged(f"{path} answered {status} without a JSON object")
        if status != 200:
            raise _refused(path, status, value)
        return value, _date(headers)

    def post(self, path: str, form: Sequence[tuple[str, str]], key: str) -> Mapping[str, Any]:
        """One raw POST under an idempotency key. Raises kernel errors only; an answer nobody can read is no answer."""
        headers = {
            **self._headers, "Idempotency-Key": key, "Content-Type": "application/x-www-form-urlencoded",
        }  # fmt: skip
        try:
            body, status, answered = self._http.request("post", f"https://{HOST}{path}", headers, urlencode(form))
        except stripe.APIConnectionError as error:
            raise _inner(error) from error
        value = _object(body)
        if value is None or (status == 200 and not value.get("id")):
            raise unreadable_write(path, status)
        if status != 200:
            raise refused_write(path, status, value, answered)
        return value


class StripeBilling:
    """Implements the Billing port. May be used by several threads at once."""

    def __init__(self, account: Account, gate: Gate) -> None:
        self._wire = _Wire(account, gate, deadline_s=DEADLINE_S, people=False, wait_s=30.0)
        self._live = account.secret("api_key").startswith(("rk_live_", "sk_live_"))
        self._coupons: dict[str, Mapping[str, Any]] = {}

    def page(self, kind: str, cursor: str = "", limit: int = PAGE) -> BillingPage:
        path, extra, expand = PATHS[kind]
        query = [("limit", str(limit)), *extra.items(), *(("expand[]", f"data.{e}") for e in expand)]
        data, more, as_of = self._list(path, [*query, *([("starting_after", cursor)] if cursor else [])])
        if kind in EXPANDABLE:
            self._fill_coupons(data)
        records = tuple(r for o in data if (r := record(o)) is not None)
        return BillingPage(records, str(data[-1]["id"]) if data and more else "", as_of)

    def fetch(self, kind: str, object_id: str) -> Any:  # noqa: ANN401 - a record of kernel.billing
        """One object as it is now; a `Gone` when Stripe has it no more."""
        path, _, expand = PATHS[kind]
        try:
            answer, _ = self._wire.get(f"{path}/{object_id}", [("expand[]", e) for e in expand])
        except VendorRejected as error:
            if error.http_status == 404:
                return Gone(kind, object_id, object_id if kind == "payer" else "")
            raise
        if kind in EXPANDABLE:
            self._fill_coupons([answer])
        return record(answer)

    def events_since(self, since: datetime, until: datetime) -> Iterator[Mapping[str, Any]]:
        """Stripe lists newest first: read in windows of time, oldest window first, so that little is held at once.

        Source: vendor sheet 3.1 and 3.3; events older than 30 days are not kept (R).
        """
        plan = windows(since, until)
        found = 0
        while True:
            try:
                start, end = plan.send(found) if found else next(plan)
            except StopIteration:
                return
            events = self._window(start, end)
            found = len(events)
            yield from sorted(events, key=lambda e: (e.get("created", 0), str(e.get("id"))))

    def _window(self, start: int, end: int) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        query = [("limit", str(PAGE)), ("created[gte]", str(start)), ("created[lte]", str(end))]
        more, after = True, ""
        while more:
            data, more, _ = self._list("/v1/events", [*query, *([("starting_after", after)] if after else [])])
            found += data
            more = more and bool(data)
            after = str(data[-1]["id"]) if data else ""
        return found

    def check(self) -> list[str]:
        """Read one of everything; a sentence for each thing the key may not read."""
        problems = []
        for path in [*(path for path, _, _ in PATHS.values()), "/v1/events"]:
            try:
                data, _, as_of = self._list(path, [("limit", "1")])
            except NeedsReauthorisation as error:
                if error.context.get("status") != 403:
                    return ["Stripe does not know this key. Make a restricted key and give it to the connection."]
                problems.append(f"The key may not read {path.removeprefix('/v1/')}: give it that permission (read).")
                continue
            except VendorError as error:
                return [f"{error.public} ({error})"]
            if any(o.get("livemode") not in (None, self._live) for o in data):
                problems.append("The key and the account's objects differ in live and test mode.")
            if abs(as_of - utc_now()) > timedelta(minutes=2):
                problems.append("This machine's clock differs from Stripe's by more than two minutes: set it.")
        return sorted(set(problems))

    def _fill_coupons(self, objects: Sequence[Mapping[str, Any]]) -> None:
        """Coupons of an item's discounts lie deeper than Stripe expands: each is read once and kept, it never changes."""
        for coupon_id in coupon_ids(objects) - set(self._coupons):
            try:
                self._coupons[coupon_id] = self._wire.get(f"/v1/coupons/{coupon_id}", [])[0]
            except VendorRejected:  # deleted since; what it takes off stays unknown
                continue
        put_coupons(objects, self._coupons)
        if len(self._coupons) > COUPONS_KEPT:
            self._coupons.clear()

    def _list(self, path: str, query: Sequence[tuple[str, str]]) -> tuple[list[Any], bool, datetime]:
        answer, as_of = self._wire.get(path, query)
        data = answer.get("data")
        if not isinstance(data, list):
            raise VendorContractChanged(f"{path} answered without a list")
        return data, bool(answer.get("has_more")), as_of


def _object(body: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 - the SDK's text or bytes
    """A JSON object, or None for anything else."""
    try:
        value = orjson.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _refused(path: str, status: int, value: Mapping[str, Any]) -> VendorError:
    """What a 4xx means; the transport has dealt with 429 and 5xx. Source: vendor sheet 3.2 and 3.9."""
    if status == 401:
        return NeedsReauthorisation("Stripe does not know this key", status=401)
    if status == 403:
        return NeedsReauthorisation(f"the key may not read {path}", status=403)
    told = value.get("error")
    code = str(told.get("code") or "") if isinstance(told, dict) else ""
    return VendorRejected(f"{status} {code}", http_status=status, vendor_code=code)


def _date(headers: Mapping[str, str]) -> datetime:
    """Stripe's clock, not ours: what was read is compared with the times of its events."""
    try:
        return parsedate_to_datetime(headers["Date"])
    except (KeyError, ValueError):
        return utc_now().replace(microsecond=0)


def _inner(error: BaseException) -> VendorError:
    """The SDK wraps whatever its session raises; the transport's own error is inside."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, VendorError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return VendorUnavailable(type(error).__name__)
