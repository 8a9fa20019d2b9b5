"""What this feature keeps, for the data map: owner, personal fields, how long, and what erasure does."""

from typing import Final

TABLES: Final = {
    "access_person": {
        "owner": "access",
        "source": "decided here; not rebuildable, backed up",
        "personal": ("name", "email"),
        "linked_by": "id",
        "retention": "as long as the person works here; the id stays in the audit record",
        "erasure": "name and email are emptied, the role becomes viewer",
    },
    "access_login": {
        "owner": "access",
        "source": "decided here; not rebuildable, backed up",
        "personal": (),
        "linked_by": "person_id",
        "retention": "as long as the person",
        "erasure": "the person's rows are deleted",
    },
    "access_rule": {
        "owner": "access",
        "source": "decided here; not rebuildable, backed up",
        "personal": (),
        "linked_by": "",
        "retention": "for ever",
        "erasure": "none: roles and groups",
    },
}
