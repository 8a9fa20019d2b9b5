"""Drafts as the CSV of a bulk job, and a job's results back. Pure.

Every cell is quoted, lines inside cells stay; an empty cell leaves a field as it is, and `#N/A`, which would empty one, is
never written. Cells that begin like a formula are not changed: no person opens this file, and Salesforce stores them as
they are. Source: vendor sheet 4.3, read 2026-11; `#N/A` and the names of the result columns are (R).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from integrations.kernel.crm import PushResult, PushState
from integrations.kernel.errors import VendorContractChanged
from integrations.salesforce.faults import Cause, Refused

ID, CREATED, ERROR = "sf__Id", "sf__Created", "sf__Error"
EMPTIES: Final = "#N/A"
JOB_BYTES: Final = 16 << 20  # of one job: its results, which repeat every cell, must fit into an answer

Record = Mapping[str, Any]


def jobs(records: Sequence[Record], most: int = JOB_BYTES) -> Iterator[bytes]:
    """CSV files of at most `most` bytes (more where one record is larger), each with the same header."""
    columns = sorted({name for record in records for name in record})
    header, lines, size = _line(columns), list[bytes](), 0
    for record in records:
        line = _line([cell(record.get(name)) for name in columns])
        if lines and size + len(line) > most:
            yield header + b"".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield header + b"".join(lines)


def cell(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """A value as text; what is left out of a record is an empty cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "N/A" if value == EMPTIES else str(value)


def _line(cells: Sequence[str]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(cells)
    return buffer.getvalue().encode()


def results(successful: str, failed: str, unprocessed: str, key: str, why: str = "") -> list[PushResult]:
    """By our key, which is a column of every file. why: what Salesforce says ended the job early.

    Raises:
        VendorContractChanged: a file without that column.
    """
    found = [
        PushResult(row[key], PushState.CREATED if row.get(CREATED) == "true" else PushState.UPDATED, row.get(ID) or "")
        for row in _rows(successful, key)
    ]
    found += [_failed(row, key) for row in _rows(failed, key)]
    stopped = Refused("UNPROCESSED", why)
    found += [
        PushResult(row[key], stopped.fault.state, "", stopped.code, stopped.sentence) for row in _rows(unprocessed, key)
    ]
    return found


def _failed(row: Mapping[str, str], key: str) -> PushResult:
    """`CODE:message:fields --`. What needs a second question is asked again by itself: a job names no other record."""
    code, _, rest = (row.get(ERROR) or "UNKNOWN").partition(":")
    message, _, names = rest.rpartition(":")
    fields = tuple(name for name in names.replace("--", "").split(",") if name.strip())
    told = Refused(code.strip()[:80], message.strip(), tuple(name.strip() for name in fields))
    again = told.fault.cause is not Cause.END
    text = f"{told.sentence} It is sent once more by itself." if again else told.sentence
    return PushResult(row[key], PushState.AGAIN if again else told.fault.state, row.get(ID) or "", told.code, text)


def _rows(text: str, key: str) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    if rows and key not in rows[0]:
        raise VendorContractChanged(f"a job's results came without {key}")
    return rows
