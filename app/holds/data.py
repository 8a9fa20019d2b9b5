"""What this feature keeps, for the data map: owner, personal fields, how long, and what erasure does."""

from typing import Final

TABLES: Final = {
    "hold": {
        "owner": "holds",
        "source": "decided here; not rebuildable, backed up",
        "personal": (),
        "linked_by": "person_id",
        "retention": "a year after it was released",
        "erasure": "none: ids and reasons in our own words",
    },
}
