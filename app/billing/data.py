"""What this feature keeps, for the data map: owner, personal fields, how long, and what erasure does."""

from typing import Final

TABLES: Final = {
    "billing_object": {
        "owner": "billing",
        "source": "the billing vendor; rebuildable from it",
        "personal": ("data",),
        "linked_by": "payer_id",
        "retention": "as long as the billing vendor keeps it; amounts and dates for the books",
        "erasure": "of the payer's rows: email, name, metadata, last4, brand, failure_text, line texts, url and pdf are "
        "emptied in `data`; ids, amounts, states and dates stay",
    },
    "billing_profile": {
        "owner": "billing",
        "source": "computed from billing_object",
        "personal": ("profile",),
        "linked_by": "payer_id",
        "retention": "as long as billing_object",
        "erasure": "the payer's row is deleted; computed again from what is left",
    },
    "billing_term": {
        "owner": "billing",
        "source": "computed from billing_object; when a value fell is ours",
        "personal": (),
        "linked_by": "payer_id",
        "retention": "as long as the subscription runs",
        "erasure": "none: amounts, dates and counts of a subscription",
    },
    "billing_reread": {
        "owner": "billing",
        "source": "ours; empty when nothing is in doubt",
        "personal": (),
        "linked_by": "",
        "retention": "until it was read",
        "erasure": "none: ids of objects",
    },
    "billing_cursor": {
        "owner": "billing",
        "source": "ours; lost, everything is read again",
        "personal": (),
        "linked_by": "",
        "retention": "for ever: one row a list and connection",
        "erasure": "none",
    },
    "seat_count": {
        "owner": "billing",
        "source": "ours; not rebuildable, backed up",
        "personal": (),
        "linked_by": "",
        "retention": "800 days, so that two years can be compared",
        "erasure": "none: counts of a subscription",
    },
}
