"""The demo's sidebar: the simulated workspace's key given to the product, as an admin does after the upload."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from sandbox.desk.host import INSTALLATION


class Runs(Protocol):
    """What this needs of the demo."""

    folder: Path
    http: Any

    def flask(self, *words: str) -> str: ...


def environment(sandbox_url: str) -> dict[str, str]:
    """Settings of the product: the SDK's stand-in instead of Zendesk's own. sandbox_url: up to and with /sandbox."""
    return {"ZAF_SDK_URL": f"{sandbox_url}/desk/static/zaf.js"}


def connect(demo: Runs, sandbox_url: str, connection: str = "zendesk_demo") -> None:
    """Tell the product which installation opens the panel, and with which key."""
    answer = demo.http.get(f"{sandbox_url}/desk/public_key.pem", timeout=30)
    answer.raise_for_status()
    key = demo.folder / "app_key.pem"
    key.write_text(answer.text)
    demo.flask("zendesk", "connect", connection, "--installation", str(INSTALLATION), "--key", str(key))
