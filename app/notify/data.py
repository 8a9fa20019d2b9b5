"""What this feature keeps, for the data map: owner, personal fields, how long, and what erasure does."""

from typing import Final

TABLES: Final = {
    "notice": {
        "owner": "notify",
        "source": "decided here; not rebuildable",
        "personal": ("recipients",),
        "linked_by": "",
        "retention": "for ever: ids and amounts",
        "erasure": "recipients of settled notices are emptied; texts hold ids and amounts only",
    },
}
