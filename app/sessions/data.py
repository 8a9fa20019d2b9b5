"""What this feature keeps, for the data map: owner, personal fields, how long, and what erasure does."""

from typing import Final

_ROW: Final = {
    "owner": "sessions",
    "source": "ours; lost, people open the app again",
    "personal": (),
    "linked_by": "person_id",
    "retention": "a day after its end",
    "erasure": "deleted",
}
TABLES: Final = {"session": _ROW, "one_time_code": _ROW, "used_token": {**_ROW, "linked_by": "", "erasure": "none"}}
