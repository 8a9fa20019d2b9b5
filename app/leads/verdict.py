"""What sales made of a lead, out of the record's standing at the CRM. Pure.

The fields we offer (verdict, reason) go before the org's own words; without them the org's default statuses are read.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from integrations.kernel.crm import Shape, Standing

# The org's own words as a new org has them, folded. What is not here is no verdict.
REJECTED: Final = frozenset({"closed - not converted", "unqualified", "disqualified", "rejected", "not interested"})
ACCEPTED: Final = frozenset({"closed - converted", "qualified", "accepted", "completed"})
FIELD: Final = {
    "accepted": "accepted", "accept": "accepted", "yes": "accepted", "rejected": "rejected", "reject": "rejected",
    "no": "rejected", "won": "won", "lost": "lost",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """verdict: "" while sales has not answered. reason: the org's own word."""

    verdict: str = ""
    reason: str = ""


def of(standing: Standing) -> Verdict:
    """The verdict a standing says."""
    if standing.gone and standing.merged_into:
        return Verdict()  # what it was merged into will say
    if standing.gone:
        return Verdict("rejected", "deleted at the CRM")
    if standing.shape is Shape.DEAL and standing.closed:
        return Verdict("won" if standing.won else "lost", standing.reason or standing.stage)
    told = FIELD.get(standing.verdict.strip().casefold(), "")
    if told:
        return Verdict(told, standing.reason)
    if standing.converted:
        return Verdict("accepted", standing.reason)
    status = standing.status.strip().casefold()
    if status in REJECTED:
        return Verdict("rejected", standing.reason or standing.status)
    if status in ACCEPTED or (standing.shape is Shape.TASK and standing.closed):  # done, in whatever words
        return Verdict("accepted", standing.reason)
    return Verdict()


ALREADY: Final = (
    "Sales had already answered this record when it was linked: open it again at the CRM, or wait for the next period."
)


def mark(was: Standing | None) -> dict[str, Any]:
    """What is kept of a record that was there before the lead, so that an old answer is no verdict on the lead, and a new
    one is heard.

    was: as it was when it was linked, with the key it has since. Where that was not seen, the first reading after it tells
    (`linked`); one without a key, which no list of ours names, is asked for by its id (`followed`).
    """
    kept = {"linked": True} if was is None else answered(was)
    return kept if was is not None and was.key else kept | {"followed": True}


def answered(was: Standing) -> dict[str, Any]:
    """The answer of a record that is linked now, as it is kept; nothing where there was none."""
    told = of(was)
    return {"before": asdict(told)} if told.verdict else {}


def later(known: str, told: Verdict) -> bool:
    """Does this say more than what is known? Accepted becomes won or lost, a rep may change their mind; what was won or
    lost is taken back by won or lost only."""
    final = ("won", "lost")
    return bool(told.verdict) and told.verdict != known and not (known in final and told.verdict not in final)
