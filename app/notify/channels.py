"""The ways a notice leaves: e-mail by SMTP, a signed webhook in the form of Standard Webhooks.

Source: the Standard Webhooks specification, "Symmetric signatures", read 2026-11: HMAC-SHA256 over id.timestamp.body,
base64 after `v1,`, the secret base64 after `whsec_`. smtplib raises OSError for every fault.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from app.config import Settings
from app.notify.store import Notice
from integrations.kernel.errors import ConfigError, VendorRejected
from integrations.kernel.vendor import Account
from integrations.transport.http import OpenGate, vendor_session

Channel = Callable[[Notice], None]
DEADLINE_S = 10.0


def channels(settings: Settings) -> Mapping[str, Channel]:
    """Those that the settings name."""
    found: dict[str, Channel] = {}
    if settings.smtp_url:
        found["email"] = lambda one: send_mail(one, settings)
    if settings.notify_webhook_url:
        found["webhook"] = lambda one: post_webhook(one, settings)
    return found


def send_mail(one: Notice, settings: Settings) -> None:
    """One e-mail. The Message-ID is the notice's id, so that a repeat after a crash is seen as the same one."""
    to = one.recipients or settings.notify_email_to
    if not to:
        raise ConfigError("NOTIFY_EMAIL_TO is empty, and this notice names nobody")
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = one.subject, settings.notify_email_from, ", ".join(to)
    message["Message-ID"] = f"<{one.id}@deskbridge.invalid>"
    message.set_content(one.body)
    parts = urlsplit(settings.smtp_url)
    secure = parts.scheme == "smtps"
    host, port = parts.hostname or "", parts.port or (465 if secure else 587)
    context = ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(host, port, timeout=DEADLINE_S, context=context)
        if secure
        else smtplib.SMTP(host, port, timeout=DEADLINE_S)
    ) as server:
        if parts.scheme == "smtp+starttls":
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)


def post_webhook(one: Notice, settings: Settings) -> None:
    """One signed POST; every 2xx is a yes."""
    url = settings.notify_webhook_url
    host = _may_call(url, settings.mode == "production")
    data = {**one.data, "subject": one.subject}
    if (
        settings.mode == "sandbox"
    ):  # its mailbox is everybody's; elsewhere a link that signs somebody in goes to them only
        data |= {"text": one.body, "to": list(one.recipients)}
    body = json.dumps({"type": one.kind, "data": data}, sort_keys=True).encode()
    stamp = str(int(time.time()))
    secrets = [s.get_secret_value() for s in settings.notify_webhook_secrets]
    signed = " ".join(sign(secret, one.id, stamp, body) for secret in secrets)
    headers = {
        "Content-Type": "application/json", "webhook-id": one.id, "webhook-timestamp": stamp, "webhook-signature": signed,
    }  # fmt: skip
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}"
    session = vendor_session(
        Account("notify", "notify", base_url=base), hosts=(host,), authorise=None, endpoint_of=lambda *_: "notice",
        gate=OpenGate(), deadline_s=DEADLINE_S,
    )  # fmt: skip
    with session:
        answer = session.post(f"https://{host}{parts.path or '/'}", data=body, headers=headers)
    if not 200 <= answer.status_code < 300:
        raise VendorRejected(f"the webhook answered {answer.status_code}", http_status=answer.status_code)


def sign(secret: str, notice_id: str, stamp: str, body: bytes) -> str:
    """`v1,` and the base64 of the signature."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{notice_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _may_call(url: str, strict: bool) -> str:
    """The host. In production only https on port 443, to public addresses (trust.md 2.7). Raises ConfigError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host or parts.username or (strict and (parts.scheme != "https" or parts.port not in (None, 443))):
        raise ConfigError("NOTIFY_WEBHOOK_URL: https://host/path, port 443, no user name")
    if strict:
        found = {info[4][0] for info in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)}
        if not all(ipaddress.ip_address(address).is_global for address in found):
            raise ConfigError("NOTIFY_WEBHOOK_URL: leads to an address that is not public")
    return host
