"""The canonical fact in a delivery, the same for every vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.kernel.ids import VendorRef


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the door needs to know of a verified delivery, before anything is interpreted.

    event_key: dedupes; unique in the connection (the vendor's event id, or a hash of the signed content).
    kind: the vendor's own event type, stored as it came, at most 128 characters; `""` when it has none.
    lane: what must stay in order, as `ticket:35436` or `payer:cus_1`; `""` when nothing must.
    money: kept for ever by the dedupe table.
    """

    event_key: str
    kind: str
    lane: str
    money: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One value before and after. `None` is "no value"."""

    previous: Any
    current: Any


@dataclass(frozen=True, slots=True)
class Event:
    """A canonical event. Kinds are past tense and ours: `ticket.created`, `invoice.payment_failed`.

    occurred_at: the vendor's time, aware UTC. actor: the vendor's id of who did it, or `""`.
    record: the state the delivery carried (a record of kernel.records or kernel.billing), or None.
    changes: what changed, by our field name. note: event facts that are not state (a comment's text, tags added).
    """

    kind: str
    vendor: str
    connection_id: str
    event_key: str
    subject: VendorRef
    occurred_at: datetime
    actor: str = ""
    record: Any = None
    changes: Mapping[str, Change] = field(default_factory=dict)
    note: Mapping[str, Any] = field(default_factory=dict)
