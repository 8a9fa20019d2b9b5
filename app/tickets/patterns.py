"""An admin's pattern over strangers' text: RE2 only, which takes linear time whatever the pattern and the text."""

from __future__ import annotations

import re2

LONGEST = 1000  # characters of a pattern


def compiled(pattern: str) -> re2._Regexp:
    """A pattern that finds its words in upper and lower case. It searches bytes: encode a text with "replace".

    Bytes in, bytes searched: a text with a lone surrogate then matches as far as it can be written down.

    Raises:
        ValueError: RE2 does not take it; the sentence says why.
    """
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False
    try:
        return re2.compile(pattern.encode(), options)
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"RE2 does not take this pattern: {reason}") from error
