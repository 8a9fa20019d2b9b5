"""What this feature keeps, for the data map: owner, personal fields, how long, and what erasure does."""

from typing import Final

_WHILE = "as long as the helpdesk keeps it"

TABLES: Final = {
    "person": {
        "owner": "customers",
        "source": "the helpdesk; rebuildable from it",
        "personal": ("name", "external_id", "locale", "time_zone", "fields"),
        "linked_by": "id",
        "retention": _WHILE,
        "erasure": "name, external id, locale, time zone and fields are emptied; id and dates stay; `gone` is set",
    },
    "person_email": {
        "owner": "customers",
        "source": "the helpdesk; rebuildable from it",
        "personal": ("address", "folded", "base", "domain"),
        "linked_by": "person_id",
        "retention": _WHILE,
        "erasure": "the person's rows are deleted",
    },
    "organization": {
        "owner": "customers",
        "source": "the helpdesk; rebuildable from it",
        "personal": (),
        "linked_by": "",
        "retention": _WHILE,
        "erasure": "none: companies",
    },
    "organization_domain": {
        "owner": "customers",
        "source": "the helpdesk; rebuildable from it",
        "personal": (),
        "linked_by": "",
        "retention": _WHILE,
        "erasure": "none: companies",
    },
}
