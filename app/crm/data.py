"""What this feature keeps, for the data map: owner, personal fields, how long, and what erasure does."""

from typing import Final


def _mirror(*personal: str, erasure: str = "none: companies") -> dict[str, object]:
    return {
        "owner": "crm",
        "source": "the CRM; rebuildable from it",
        "personal": personal,
        "linked_by": "",
        "retention": "as long as the CRM has it",
        "erasure": erasure,
    }


TABLES: Final = {
    "crm_account": _mirror(),
    "crm_contact": _mirror(erasure="none: the domain of an address is all that is kept"),
    "crm_user": _mirror("name", erasure="name is emptied"),
    "crm_cursor": _mirror(erasure="none: places in lists"),
}
