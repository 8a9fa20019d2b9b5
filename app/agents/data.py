"""What this feature keeps, for the data map: owner, personal fields, how long, and what erasure does."""

from typing import Final

TABLES: Final = {
    "agent": {
        "owner": "agents",
        "source": "the helpdesk; rebuildable from it",
        "personal": ("name", "email"),
        "linked_by": "id",
        "retention": "as long as what the agent did is kept",
        "erasure": "name and email are emptied; id, role and dates stay",
    },
    "agent_read": {
        "owner": "agents",
        "source": "ours; lost, the staff is read again",
        "personal": (),
        "linked_by": "",
        "retention": "for ever: one row a connection",
        "erasure": "none",
    },
}
