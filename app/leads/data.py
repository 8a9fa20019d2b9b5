"""What this feature keeps, for the data map: owner, personal fields, how long, and what erasure does."""

from typing import Final


def _decided(retention: str, erasure: str, *personal: str, linked_by: str = "") -> dict[str, object]:
    return {
        "owner": "leads",
        "source": "decided here; not rebuildable, backed up",
        "personal": personal,
        "linked_by": linked_by,
        "retention": retention,
        "erasure": erasure,
    }


TABLES: Final = {
    "lead_signal": _decided(
        "as long as its lead; a year without one", "facts are emptied, ids stay", "facts", linked_by="person_id"
    ),
    "lead": _decided("for ever: the report card counts them", "card is emptied; ids, sums and states stay", "card"),
    "lead_step": _decided("as long as its lead", "detail is emptied", "detail"),
    "lead_policy": _decided("for ever", "none: weights and words of the admin"),
    "account_link": _decided("for ever: who linked what, and when it ended", "none: companies", linked_by="made_by"),
}
