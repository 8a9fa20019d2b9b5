"""All that a panel shows of one payer, in one statement: what a view costs is mostly how often PostgreSQL is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from app.billing.store_profiles import PayerKey
from integrations.kernel.clock import parse_iso

# One row an object, told apart by its part. The newest of each kind, then what those name: the products and prices of
# subscriptions, the numbers of the invoices that charges paid (through the payment that names the charge or its intent).
# All of it is one text, as thirty rows cost the driver more than one. OFFSET 0 keeps each look-up a look-up by its index,
# also where PostgreSQL has not counted the rows yet.
_WHOLE = sa.text(
    """
    SELECT CAST(json_agg(json_build_array(part, kind, id, data, total, place)) AS text) FROM (WITH mine AS (
        SELECT o.kind, o.id, o.data, count(*) OVER (PARTITION BY o.kind) AS total, row_number() OVER (
            PARTITION BY o.kind
            ORDER BY coalesce(o.data ->> 'created', o.data ->> 'started', '') COLLATE "C" DESC, o.id COLLATE "C" DESC
        ) AS place
        FROM billing_object o
        WHERE o.connection_id = :connection AND o.payer_id = :payer AND o.kind = ANY(CAST(:kinds AS text[])) AND NOT o.gone
    ), few AS MATERIALIZED (SELECT * FROM mine WHERE place <= :most)
    SELECT 'newest' AS part, kind, id, data, total, place FROM few
    UNION ALL
    SELECT 'sold', named.kind, named.id, o.data, 0, 0
    FROM (
        SELECT DISTINCT named.kind, named.id FROM few
        CROSS JOIN jsonb_array_elements(few.data -> 'items') AS item
        CROSS JOIN LATERAL (
            VALUES ('product', item ->> 'product_id'), ('price', item ->> 'price_id')
        ) AS named(kind, id)
        WHERE few.kind = 'subscription' AND named.id <> ''
    ) AS named
    CROSS JOIN LATERAL (
        SELECT data FROM billing_object
        WHERE connection_id = :connection AND kind = named.kind AND id = named.id AND NOT gone OFFSET 0
    ) AS o
    UNION ALL
    SELECT 'number', 'charge', few.id, i.data -> 'number', 0, 0
    FROM few
    CROSS JOIN LATERAL (
        SELECT data ->> 'invoice_id' AS invoice_id FROM billing_object
        WHERE connection_id = :connection AND payer_id = '' AND charge_id <> ''
            AND charge_id = ANY(ARRAY[few.id, few.data ->> 'intent']) AND kind = 'invoice_payment' OFFSET 0
    ) AS p
    CROSS JOIN LATERAL (
        SELECT data FROM billing_object
        WHERE connection_id = :connection AND kind = 'invoice' AND id = p.invoice_id AND NOT gone OFFSET 0
    ) AS i
    WHERE few.kind = 'charge'
    UNION ALL
    SELECT 'profile', '', '', profile, 0, 0 FROM billing_profile WHERE connection_id = :connection AND payer_id = :payer
    UNION ALL
    SELECT 'standing', '', '', jsonb_build_object(
        'until', (SELECT cursor FROM billing_cursor WHERE connection_id = :connection AND name = 'events'),
        'wanted', EXISTS (
            SELECT FROM billing_reread WHERE connection_id = :connection AND kind = 'payer' AND id = :payer
        )
    ), 0, 0) AS found
    """
)


@dataclass(slots=True)
class Whole:
    """Records (JSON) by kind, newest first, and how many there are of each.

    sold: products and prices by (kind, id). numbers: charge -> number of the invoice it paid, "" for one without.
    until: up to when the vendor's own list of changes was read, None before the first time. is_reading: it was asked for
    that this payer be read again, and that is not done yet.
    """

    records: dict[str, list[dict[str, Any]]]
    totals: dict[str, int]
    sold: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    until: datetime | None = None
    is_reading: bool = False


def of_payer(cx: sa.Connection, payer: PayerKey, kinds: Sequence[str], limit: int) -> Whole:
    """Everything of a payer, `limit` of each kind; the deleted left out."""
    told = {"connection": payer[0], "payer": payer[1], "kinds": list(kinds), "most": limit}
    placed: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    found = Whole({}, {})
    for part, kind, key, data, total, place in orjson.loads(cx.execute(_WHOLE, told).scalar_one()):
        if part == "newest":
            placed[kind][place] = data
            found.totals[kind] = total
        elif part == "sold":
            found.sold[kind, key] = data
        elif part == "number":
            found.numbers[key] = data or ""
        elif part == "profile":
            found.profile = data
        else:
            found.until = parse_iso(data["until"]) if data["until"] else None
            found.is_reading = data["wanted"]
    found.records = {kind: [rows[n] for n in sorted(rows)] for kind, rows in placed.items()}
    return found
