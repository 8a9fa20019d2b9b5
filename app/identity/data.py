"""What this feature keeps, for the data map: owner, personal fields, how long, and what erasure does."""

from typing import Final

_WITH_PAYER = "as long as the billing vendor knows the payer"

TABLES: Final = {
    "identity_link": {
        "owner": "identity",
        "source": "decided here; not rebuildable, backed up",
        "personal": ("note",),
        "linked_by": "person_id",
        "retention": "for ever: who linked whom, and when it ended",
        "erasure": "note is emptied, live links of the person are ended by `erasure`; ids and dates stay",
    },
    "payer_address": {
        "owner": "identity",
        "source": "the billing mirror; rebuildable from it",
        "personal": ("folded", "base", "domain"),
        "linked_by": "payer_id",
        "retention": _WITH_PAYER,
        "erasure": "folded, base and domain are emptied",
    },
    "payer_key": {
        "owner": "identity",
        "source": "the billing mirror; rebuildable from it",
        "personal": ("value",),
        "linked_by": "payer_id",
        "retention": _WITH_PAYER,
        "erasure": "the payer's rows are deleted",
    },
    "payer_domain": {
        "owner": "identity",
        "source": "the billing mirror; rebuildable from it",
        "personal": (),
        "linked_by": "",
        "retention": "for ever: domains only",
        "erasure": "none: a domain stands for no person",
    },
}
