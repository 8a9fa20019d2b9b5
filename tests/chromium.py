"""The browser of the tests: Debian's Chromium, started once a test process, as Playwright can be there only once."""

from __future__ import annotations

import shutil

ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
