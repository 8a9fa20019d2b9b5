"""What this feature keeps, for the data map: owner, personal fields, how long, and what erasure does."""

from typing import Final

TABLES: Final = {
    "ticket": {
        "owner": "tickets",
        "source": "the helpdesk; rebuildable from it",
        "personal": ("values.subject", "values.description", "values.custom_fields"),
        "linked_by": "requester_id",
        "retention": "as long as the helpdesk keeps the ticket",
        "erasure": "subject, description and custom fields of the person's tickets are emptied; ids, status, tags stay",
    },
}
