"""The demo's sidebar, as an admin sets it up: the workspace's key, who may refund how much, where notices go."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from sandbox.desk.host import APPROVER, INSTALLATION, REFUNDER
from sandbox.desk.mailbox import SECRET

# Minor units, per refund / per day; charges of the simulated world are up to years old.
POLICY = (
    "enabled=yes", "limit.refunder.USD=10000/100000", "limit.refunder.EUR=10000/100000",
    "limit.approver.USD=1000000/5000000", "limit.approver.EUR=1000000/5000000", "charge_days=4000", "payer_count=20",
)  # fmt: skip


class Runs(Protocol):
    """What this needs of the demo."""

    folder: Path
    http: Any

    def flask(self, *words: str) -> str: ...


def environment(sandbox_url: str) -> dict[str, str]:
    """Settings of the product: the SDK's stand-in, and notices into the mailbox. sandbox_url: up to and with /sandbox."""
    return {
        "ZAF_SDK_URL": f"{sandbox_url}/desk/static/zaf.js", "NOTIFY_WEBHOOK_URL": f"{sandbox_url}/mailbox/hook",
        "NOTIFY_WEBHOOK_SECRETS": SECRET,
    }  # fmt: skip


def connect(demo: Runs, sandbox_url: str, connection: str = "zendesk_demo") -> None:
    """Tell the product which installation opens the panel, and with which key."""
    answer = demo.http.get(f"{sandbox_url}/desk/public_key.pem", timeout=30)
    answer.raise_for_status()
    key = demo.folder / "app_key.pem"
    key.write_text(answer.text)
    demo.flask("zendesk", "connect", connection, "--installation", str(INSTALLATION), "--key", str(key))
    _let_refund(demo, connection)


def _let_refund(demo: Runs, connection: str) -> None:
    """A refunder and an approver, so that a refund is ready to try; and an admin for the console."""
    demo.flask("policy", "set", *POLICY)
    for name, role, login in (("Bea Refunder", "refunder", REFUNDER), ("Eve Approver", "approver", APPROVER)):
        address = f"{role}@acme.example"
        demo.flask("people", "add", name, "--role", role, "--email", address, "--login", f"{connection}:{login}")
    demo.flask("people", "add", "Ada Admin", "--role", "admin", "--email", "admin@acme.example")
