"""What this feature keeps, for the data map: owner, personal fields, how long, and what erasure does."""

from typing import Final

_DECIDED = "decided here; not rebuildable, backed up"

TABLES: Final = {
    "refund_policy": {
        "owner": "refunds",
        "source": _DECIDED,
        "personal": (),
        "linked_by": "",
        "retention": "for ever: which policy was in force when",
        "erasure": "none: figures",
    },
    "refund_charge": {
        "owner": "refunds",
        "source": "sums of refund_intent; rebuilt by `flask refunds reconcile` after a loss",
        "personal": (),
        "linked_by": "",
        "retention": "7 years",
        "erasure": "none: ids and amounts",
    },
    "refund_intent": {
        "owner": "refunds",
        "source": _DECIDED,
        "personal": ("note",),
        "linked_by": "payer_id",
        "retention": "7 years",
        "erasure": "note is emptied; ids, amounts and states stay",
    },
    "refund_look": {
        "owner": "refunds",
        "source": "what was heard; a daily reading makes up for it",
        "personal": (),
        "linked_by": "",
        "retention": "until it was looked at",
        "erasure": "none: ids",
    },
    "refund_credit": {
        "owner": "refunds",
        "source": _DECIDED,
        "personal": (),
        "linked_by": "",
        "retention": "7 years",
        "erasure": "none: ids",
    },
    "refund_hold": {
        "owner": "refunds",
        "source": "what the vendor answered",
        "personal": (),
        "linked_by": "",
        "retention": "until it is over",
        "erasure": "none: ids",
    },
}
