"""What this feature keeps, for the data map: owner, personal fields, how long, and what erasure does."""

from typing import Final

TABLES: Final = {
    "audit": {
        "owner": "audit",
        "source": "decided here; not rebuildable, backed up",
        "personal": (),
        "linked_by": "",
        "retention": "7 years at least; rows are never changed or deleted",
        "erasure": "none: ids and commitments only",
    },
    "audit_head": {
        "owner": "audit",
        "source": "the newest row of audit",
        "personal": (),
        "linked_by": "",
        "retention": "for ever",
        "erasure": "none",
    },
    "audit_personal": {
        "owner": "audit",
        "source": "decided here; not rebuildable, backed up",
        "personal": ("value",),
        "linked_by": "person",
        "retention": "as long as audit, or until erasure",
        "erasure": "the person's rows are deleted with their salts; the chain still verifies",
    },
}
