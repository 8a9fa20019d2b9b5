"""Carries leads to the CRM. Safe to run anywhere, twice, and to be killed anywhere.

What is sent is `sending` in the database before the call; whose end is not known is looked for by its key before anything
is sent again. No database connection is held while the CRM is asked, and every write is fenced by the claim's token.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa
from prometheus_client import Gauge

from app import notify
from app.leads import store_push
from app.leads.answers import End, of_error, of_result
from app.leads.claiming import CLAIM, Sent, claim, of_job
from app.leads.context import LeadContext
from app.leads.render import MADE_HERE
from app.leads.states import State
from app.leads.verdict import mark
from app.telemetry.failpoints import fp
from app.telemetry.logs import bind, get_logger
from integrations.kernel.crm import PushResult, PushState, Shape
from integrations.kernel.errors import AppError, RateLimited
from integrations.kernel.ports import Crm
from integrations.transport.backoff import delay_s

TOGETHER: Final = 200  # drafts of one call
TOLD_S: Final = 600.0  # leads that wait longer for calls than this are told of, once a day
NO_CALLS: Final = (
    "Our share of the CRM's calls of 24 hours, or the CRM's own limit, is used up; leads go on by themselves when calls are "
    "free. `flask leads push` shows the numbers; the connection's setting `daily_share` allows more."
)
NOT_THERE: Final = "The CRM does not have it, and its company must be left alone now."
FIRST_LOOK_S, LONGEST_LOOK_S, LOOKS = 5.0, 60.0, 120

WAITS = Gauge(
    "deskbridge_leads_wait_seconds", "How long leads wait until the CRM may be called", ["connection"],
    multiprocess_mode="mostrecent",
)  # fmt: skip

log = get_logger(__name__)


class Pusher:
    """Drains what is due of one CRM connection."""

    def __init__(self, ctx: LeadContext, crm_id: str) -> None:
        self._ctx = ctx
        self._crm_id = crm_id
        self._bulk_over = ctx.bulk_over
        self._spent: RateLimited | None = None

    def drain(self, go_on: Callable[[], bool] = lambda: True) -> int:
        """Send until nothing is due or `go_on` says no; answers how many leads were worked on."""
        worked, self._spent = 0, None
        with self._ctx.database.begin() as cx:
            store_push.lapsed(cx, CLAIM)
        while not self._must_wait() and self._spent is None and go_on() and (some := self._job() or self._some(go_on)):
            worked += some
        return worked

    def _must_wait(self) -> bool:
        """Is our share of the CRM's calls used up? Then leads stay as they are, and are not tried in vain."""
        try:
            wait_s = self._ctx.client(self._crm_id).usage().wait_s
        except AppError:
            return False  # whoever sends the first lead says what it is
        WAITS.labels(self._crm_id).set(wait_s)
        if wait_s > TOLD_S:
            with self._ctx.database.begin() as cx:
                if self._spent is not None or store_push.is_due(cx, self._crm_id):
                    self._alert(cx, "", End(State.DUE, NO_CALLS))
        return wait_s > 0

    def _may_ask(self) -> None:
        """Raises what the CRM, or our own budget, said before in this run: who has no calls left is not asked again."""
        if self._spent is not None:
            raise self._spent

    def _heard(self, error: AppError) -> None:
        if isinstance(error, RateLimited):
            self._spent = error

    def _some(self, go_on: Callable[[], bool]) -> int:
        claimed, seen = claim(self._ctx, self._crm_id)
        if not claimed:
            return seen
        groups: dict[Shape, list[Sent]] = defaultdict(list)
        for one in claimed:
            groups[one.draft.shape].append(one)
        with bind(job="leads", crm_id=self._crm_id):
            for _, mine in sorted(groups.items()):
                self._shape(mine)
        return seen

    def _shape(self, mine: Sequence[Sent]) -> None:
        """Everything of one shape: look for what may be there, send what is not."""
        try:
            client = self._ctx.client(self._crm_id)
        except AppError as error:
            self._failed(mine, error)
            return
        lost = [one for one in mine if one.unknown and not one.draft.object_id]
        fresh = [one for one in mine if not one.unknown or one.draft.object_id]
        for start in range(0, len(lost), TOGETHER):
            fresh += self._look(client, lost[start : start + TOGETHER])
        again = {one.id for one in fresh if one.unknown}
        if again:
            with self._ctx.database.begin() as cx:
                ours = store_push.resend(cx, [(one.id, one.token) for one in fresh if one.id in again])
            fresh = [one for one in fresh if one.id not in again or one.id in ours]
        if len(fresh) > self._bulk_over:
            self._start_job(client, fresh)
            return
        for start in range(0, len(fresh), TOGETHER):
            self._send(client, fresh[start : start + TOGETHER])

    def _look(self, client: Crm, lost: Sequence[Sent]) -> list[Sent]:
        """Ask for records by their keys; answers those that are to be made. What is there with our text is ours, and kept
        up; without it, it is another's that got our key before whoever sent it died. What is not there, of a company that
        must be left alone by now, is due as if never sent: whoever takes it next holds it."""
        try:
            self._may_ask()
            found = client.find(lost[0].draft.shape, [one.draft.key for one in lost])
        except AppError as error:
            self._heard(error)
            self._end([(one, replace(of_error(error, "", one.tries, delay_s(one.tries)), state=State.UNKNOWN))
                       for one in lost])  # fmt: skip
            return []
        fp("lead.find.after_call")
        there = [(one, found[one.draft.key]) for one in lost if one.draft.key in found]
        why = "It was there: the CRM had taken it."
        self._end(
            [
                (one, End(State.PUSHED, why, was.object_id, 0.0, theirs=MADE_HERE not in was.description, was=was))
                for one, was in there
            ]
        )
        absent = [one for one in lost if one.draft.key not in found]
        self._end([(one, End(State.DUE, NOT_THERE, due_in_s=0.0)) for one in absent if one.waits])
        return [one for one in absent if not one.waits]

    def _send(self, client: Crm, some: Sequence[Sent]) -> None:
        fp("lead.send.before_call")
        try:
            self._may_ask()
            results = client.push([one.draft for one in some])
        except AppError as error:
            self._failed(some, error)
            return
        fp("lead.send.after_call")
        self._results(client, some, {result.key: result for result in results})

    def _results(self, client: Crm, some: Sequence[Sent], results: dict[str, PushResult]) -> None:
        ends, converted = [], []
        for one in some:
            result = results.get(one.draft.key)
            if result is None:
                why = "The CRM said nothing of it: we look before we repeat."
                ends.append((one, End(State.UNKNOWN, why, one.draft.object_id, delay_s(one.tries))))
            elif result.state is PushState.CONVERTED:
                converted.append((one, of_result(result, one.draft.object_id, one.tries, 0.0)))
            else:
                ends.append((one, of_result(result, one.draft.object_id, one.tries, delay_s(one.tries))))
        self._end(ends)
        if converted:
            self._follow(client, converted)

    def _follow(self, client: Crm, converted: Sequence[tuple[Sent, End]]) -> None:
        """A converted record takes no change: later pushes go to its deal, or to a task on its account."""
        shape = converted[0][0].draft.shape
        try:
            self._may_ask()
            shown = client.show(shape, [end.object_id for _, end in converted])
        except AppError as error:
            self._heard(error)
            self._end([(one, of_error(error, end.object_id, one.tries, delay_s(one.tries))) for one, end in converted])
            return
        ends = []
        for one, end in converted:
            was = shown.get(end.object_id)
            if was is None or not (was.deal_id or was.account_id):
                why = "It was converted, and what it became cannot be seen: give the integration user access to it."
                ends.append((one, End(State.DEAD, why, end.object_id, alert=True)))
                continue
            new = Shape.DEAL if was.deal_id else Shape.TASK
            became = replace(one, draft=replace(one.draft, shape=new, account_id=was.account_id))
            state, kept = (State.PUSHED, was.deal_id) if was.deal_id else (State.DUE, "")
            ends.append((became, End(state, f"It was converted; the {new.value} is followed.", kept, 0.0)))
        self._end(ends)

    def _failed(self, some: Sequence[Sent], error: AppError) -> None:
        self._heard(error)
        log.warning("lead_push_failed", code=error.code, leads=len(some))
        self._end([(one, of_error(error, one.draft.object_id, one.tries, delay_s(one.tries))) for one in some])

    def _start_job(self, client: Crm, mine: Sequence[Sent]) -> None:
        fp("lead.bulk.before_call")
        try:
            self._may_ask()
            job_id = client.bulk([one.draft for one in mine])
        except AppError as error:
            self._failed(mine, error)
            return
        fp("lead.bulk.after_call")
        with self._ctx.database.begin() as cx:
            told = [{"id": one.id, "token": one.token, "digest": one.digest, "hold": one.hold} for one in mine]
            store_push.in_job(cx, [(one.id, one.token) for one in mine], job_id, FIRST_LOOK_S)
            store_push.sent_as(cx, told)

    def _job(self) -> int:
        """Ask for one job of the CRM; answers how many leads are in it."""
        job_id, looks, mine = of_job(self._ctx, self._crm_id)
        if not mine:
            return 0
        try:
            client = self._ctx.client(self._crm_id)
            job = client.bulk_state(job_id, mine[0].draft.shape)
        except AppError as error:
            log.warning("lead_job_unread", code=error.code)
            job = None
        if job is not None and job.finished:
            fp("lead.bulk.read")
            self._results(client, mine, {result.key: result for result in job.results})
        elif looks > LOOKS:
            lost = "The CRM did not finish its job."
            self._abort(job_id)
            self._end([(one, End(State.UNKNOWN, lost, one.draft.object_id, 0.0)) for one in mine])
        else:
            wait_s = min(LONGEST_LOOK_S, FIRST_LOOK_S * 2.0 ** min(looks, 8))
            with self._ctx.database.begin() as cx:
                store_push.in_job(cx, [(one.id, one.token) for one in mine], job_id, wait_s)
        return len(mine)

    def _abort(self, job_id: str) -> None:
        """Nobody asks for it any more: were it to run later, it would write what is old by then, and take ON HOLD off. Best
        effort: its leads are looked for all the same."""
        try:
            self._ctx.client(self._crm_id).bulk_abort(job_id)
        except AppError as error:
            log.warning("lead_job_not_aborted", code=error.code, job_id=job_id)

    def _end(self, ends: Sequence[tuple[Sent, End]]) -> None:
        """Write what came of it, in one transaction."""
        if not ends:
            return
        with self._ctx.database.begin() as cx:
            ours = store_push.settle(cx, self._crm_id, [_row(one, end) for one, end in ends])
            for one, end in ends:
                if end.alert and one.id in ours:
                    self._alert(cx, one.id, end, one.token)
            fp("lead.settle.before_commit")
        fp("lead.settle.after_commit")

    def _alert(self, cx: sa.Connection, lead_id: str, end: End, token: int = 0) -> None:
        """token: of the claim, so that what is refused once more after a repair is told once more."""
        if end.state is State.DEAD:
            body = f"{end.why}\n\nThe lead: {self._ctx.settings.public_url}/admin/leads/{lead_id}"
            subject, data = f"The CRM refused lead {lead_id}", {"lead_id": lead_id}
            notify.tell(cx, "lead.dead", f"{lead_id}-dead-{token}", subject, body, data)
        else:
            day = self._ctx.clock().date().isoformat()
            subject = f"Leads wait: {self._crm_id} cannot be called"
            notify.tell(cx, "lead.waits", f"{self._crm_id}-{day}", subject, end.why, {"connection_id": self._crm_id})


def _row(one: Sent, end: End) -> dict[str, Any]:
    """As store_push.settle takes it."""
    done = end.state is State.PUSHED and end.due_in_s is None
    return {
        "id": one.id, "token": one.token, "state": end.state.value, "why": end.why, "object_id": end.object_id,
        "shape": one.draft.shape.value, "account_id": one.draft.account_id, "done": done,
        "waits": end.free or end.due_in_s == 0.0, "digest": one.digest, "hold": one.hold, "card": one.card,
        "due_in": end.due_in_s, "theirs": end.theirs, "shared": one.shared, "what": "pushed" if done else end.state.value,
        "mark": mark(end.was) if end.theirs else {},
    }  # fmt: skip
