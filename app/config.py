"""Every setting, read once into one frozen object; nothing else in the product reads the environment.

A setting `NAME` may be given as `NAME` or as `NAME_FILE` (a file that holds it). A secret setting takes several values,
newest first, separated by commas or lines, so that it can be rotated without refusing anybody.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from integrations.kernel.errors import ConfigError

MASTER_KEY_BYTES = 32
SANDBOX_KEY = base64.b64encode(b"deskbridge sandbox key, not safe").decode()


class SettingsError(ConfigError):
    """The settings cannot be used. `problems`: one line each, `NAME: what is wrong and what to do`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The settings cannot be used:\n" + "\n".join(f"  {p}" for p in problems))
        self.problems = problems


class Settings(BaseSettings):
    """All settings. The description of each field is its line in docs/settings.md."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=False, hide_input_in_errors=True)

    mode: Literal["production", "development", "sandbox"] = Field(
        "development", description="`production` refuses embedded servers, sandbox routes, test URLs and test secrets."
    )
    public_url: str = Field(
        "http://127.0.0.1:8300", description="How vendors and agents reach this service: scheme and host, no path."
    )
    database_url: str = Field(
        "", repr=False, description="PostgreSQL 15+, role deskbridge_app. Empty: the embedded server."
    )
    migration_database_url: str = Field(
        "", repr=False, description="The same database with the role deskbridge_owner. Empty: `DATABASE_URL` is used."
    )
    redis_url: str = Field("", repr=False, description="Redis 6+ or Valkey. Empty: the embedded server.")
    data_folder: Path = Field(Path(".deskbridge"), description="Where the embedded servers keep their files.")
    master_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Keys that seal the secrets of connections: base64 of 32 bytes each, newest first."
    )
    metrics_tokens: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Bearer tokens that may read `/metrics`, newest first. Empty: only loopback may.",
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=5,
        description="Reverse proxies in front of `flask web` that add to X-Forwarded-For; 0: the header is not believed.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least level that is logged."
    )
    web_host: str = Field("127.0.0.1", description="The address the web processes listen on.")
    web_port: int = Field(8300, ge=1, le=65535, description="The port the web processes listen on.")
    web_processes: int = Field(2, ge=1, le=64, description="How many web processes share the port.")
    web_threads: int = Field(16, ge=1, le=64, description="Request threads of each web process.")
    worker_processes: int = Field(2, ge=1, le=64, description="How many worker processes `flask worker` starts.")
    worker_threads: int = Field(16, ge=1, le=64, description="Threads for outgoing calls in each worker.")
    max_backlog: int = Field(
        200_000, ge=100, description="Waiting deliveries above which the door answers 503 instead of storing more."
    )
    inbox_gather_s: float = Field(2.0, ge=0, le=30, description="How long an event waits for others to share a read.")
    inbox_lease_s: float = Field(60, ge=2, le=600, description="How long a worker owns a lane before others may.")
    inbox_tries: int = Field(5, ge=1, le=20, description="Tries of an event before it is quarantined.")
    outbox_gather_s: float = Field(2.0, ge=0, le=30, description="How long a change waits for others to share a write.")
    outbox_lease_s: float = Field(60, ge=2, le=600, description="How long a worker owns a write before others may.")
    outbox_tries: int = Field(12, ge=1, le=50, description="Tries of a change before it is a dead letter.")
    outbox_poll_s: float = Field(1.0, ge=0.05, le=60, description="Wait before a write job at the vendor is looked at.")
    dispatch_s: float = Field(2.0, ge=0.1, le=30, description="How often a worker looks for due work, Redis or not.")
    slice_s: float = Field(10.0, ge=1, le=60, description="How long one wake-up works before it lets others in.")
    writes_per_ticket: int = Field(8, ge=1, le=100, description="Writes of one ticket in 10 minutes before it is held.")
    body_days: int = Field(30, ge=1, le=400, description="How many days bodies and fact sets are kept.")
    key_days: int = Field(
        90,
        ge=2,
        le=4000,
        description="How many days a delivery's key, verdict and judgement are kept; money's for ever.",
    )
    catchup_s: int = Field(
        300, ge=5, le=86_400, description="How often the vendors' own lists of changes are read for gaps."
    )
    catchup_grace_s: float = Field(
        60, ge=0, le=3600, description="How old a change must be before its delivery counts as lost."
    )
    agents_s: int = Field(600, ge=10, le=86_400, description="How often the helpdesks' staff is read.")
    tag_prefix: str = Field("db_", pattern=r"^[a-z0-9_]{2,16}$", description="What every tag of ours begins with.")
    seats_used_key: str = Field("seats_used", description="Metadata key of a subscription that counts used seats.")
    payer_link_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        ("helpdesk_id",), description="Metadata keys of a Stripe customer that name the requester's external id."
    )
    organization_link_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Metadata keys of a Stripe customer that name the company's external id at the helpdesk."
    )
    organization_fields: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Fields of a company at the helpdesk that hold a Stripe customer's id."
    )
    sidebar_poll_s: int = Field(20, ge=1, le=600, description="How often a visible sidebar asks for news.")
    sidebar_stale_s: int = Field(
        900, ge=10, le=86_400, description="Age of the billing vendor's news above which the sidebar says it is slow."
    )
    zaf_sdk_url: str = Field(
        "https://static.zdassets.com/zendesk_app_framework_sdk/2.0/zaf_sdk.min.js",
        description="Where the sidebar's page loads Zendesk's SDK from; the sandbox has a stand-in of its own.",
    )
    refund_lease_s: float = Field(
        60, ge=1, le=600, description="How long a worker owns a refund before the sweeper takes it."
    )
    refund_sweep_s: float = Field(30, ge=1, le=600, description="How often refunds whose worker died are looked for.")
    leads_scan_s: float = Field(
        21_600, ge=10, le=86_400, description="How often the whole mirror is scanned for signals of leads."
    )
    holds_sweep_s: float = Field(
        300,
        ge=5,
        le=86_400,
        description="How often what holds leads back is compared with refunds, disputes and tickets.",
    )
    refund_poll_s: float = Field(
        3600, ge=1, le=86_400, description="How often a refund the bank has not answered is read at the vendor."
    )
    refund_stall_hours: float = Field(
        72, gt=0, le=2000, description="How long the bank may take before the ticket is opened again."
    )
    crm_mirror_s: float = Field(
        300, ge=1, le=86_400, description="How often companies and contacts of the CRM are read."
    )
    lead_gather_s: float = Field(10, ge=1, le=3600, description="How often new signals are made into leads.")
    lead_push_s: float = Field(3, ge=0.5, le=600, description="How often leads that are due are sent to the CRM.")
    lead_verdict_s: float = Field(120, ge=1, le=86_400, description="How often the CRM is asked what became of leads.")
    lead_lease_s: float = Field(180, ge=1, le=3600, description="How long a worker owns leads it sends.")
    smtp_url: str = Field(
        "",
        repr=False,
        description="For notices: smtp://, smtps:// or smtp+starttls:// with user, password, host, port.",
    )
    notify_email_from: str = Field("deskbridge@localhost", description="The sender of notices.")
    notify_email_to: Annotated[tuple[str, ...], NoDecode] = Field((), description="Who gets notices by e-mail.")
    notify_webhook_url: str = Field("", description="Where notices are posted, signed (Standard Webhooks).")
    notify_webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Signing secrets of that webhook: `whsec_` and base64, newest first."
    )
    audit_head_file: str = Field("", description="A file outside the database that gets the head of the audit daily.")
    failpoints: str = Field("", description="For tests: `name:nth=kill|raise|exit|sleep`. Production refuses it.")
    plus_addresses: bool = Field(False, description="`a+b@x` is matched as `a@x`.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands over: the environment is read there, with its files."""
        return (init_settings,)

    @field_validator(
        "master_keys",
        "metrics_tokens",
        "payer_link_keys",
        "organization_link_keys",
        "organization_fields",
        "notify_email_to",
        "notify_webhook_secrets",
        mode="before",
    )
    @classmethod
    def _several(cls, value: Any) -> Any:  # noqa: ANN401 - pydantic's own signature
        if not isinstance(value, str):
            return value
        return tuple(v.strip() for v in value.replace("\n", ",").split(",") if v.strip())

    @field_validator("master_keys")
    @classmethod
    def _keys(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for key in keys:
            try:
                usable = len(base64.b64decode(key.get_secret_value(), validate=True)) == MASTER_KEY_BYTES
            except ValueError:
                usable = False
            if not usable:
                raise ValueError("each key must be base64 of 32 bytes; make one with `openssl rand -base64 32`")
        return keys

    @field_validator("public_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        parts = urlsplit(value.rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.username:
            raise ValueError("give scheme and host only, such as https://desk.example.com")
        return value.rstrip("/")

    @field_validator("zaf_sdk_url")
    @classmethod
    def _script(cls, value: str) -> str:
        parts = urlsplit(value)
        local = parts.hostname in ("127.0.0.1", "localhost")
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
            raise ValueError("give an https address; http is for localhost only")
        return value

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The master keys as bytes, newest first; outside production a published key stands in for none."""
        given = tuple(base64.b64decode(k.get_secret_value()) for k in self.master_keys)
        return given or (base64.b64decode(SANDBOX_KEY),)


_PRODUCTION_NEEDS = {
    "database_url": "not set; production uses no embedded server, name your PostgreSQL",
    "redis_url": "not set; production uses no embedded server, name your Redis",
    "master_keys": "not set; make one with `openssl rand -base64 32`",
    "metrics_tokens": "not set; make one with `openssl rand -hex 32`",
    "public_url": "not set; vendors must reach it, such as https://desk.example.com",
}


def _production_problems(values: Mapping[str, str]) -> list[str]:
    """What production does not accept, as `NAME: what to do`; judged on the raw values, beside every other problem."""
    found = [f"{name.upper()}: {text}" for name, text in _PRODUCTION_NEEDS.items() if not values.get(name)]
    if SANDBOX_KEY in values.get("master_keys", ""):
        found.append("MASTER_KEYS: holds the published sandbox key; make one with `openssl rand -base64 32`")
    if values.get("failpoints"):
        found.append("FAILPOINTS: for tests only; remove it")
    if values.get("public_url", "").startswith("http://"):
        found.append("PUBLIC_URL: must begin with https:// in production; vendors refuse anything else")
    if values.get("zaf_sdk_url", "").startswith("http://"):
        found.append("ZAF_SDK_URL: must begin with https:// in production; the stand-in is for the sandbox only")
    return found


def _with_files(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The values of our settings, files read; and what is wrong with the files."""
    values: dict[str, str] = {}
    problems: list[str] = []
    for field in Settings.model_fields:
        name = field.upper()
        plain, file = environment.get(name), environment.get(f"{name}_FILE")
        if plain and file:
            problems.append(f"{name}: given twice, as {name} and as {name}_FILE; keep one")
        elif file:
            try:
                values[field] = Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                problems.append(f"{name}_FILE: cannot be read ({error.strerror}); check the path and its rights")
        elif plain:
            values[field] = plain
    return values, problems


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment (or from a mapping, in tests).

    Raises:
        SettingsError: with every problem at once; values are never repeated in it.
    """
    values, problems = _with_files(os.environ if environment is None else environment)  # noqa: TID251 - the one reader
    if values.get("mode") == "production":
        problems += _production_problems(values)
    settings = None
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False):
            problems.append(f"{str(item['loc'][0]).upper()}: {item['msg'].removeprefix('Value error, ')}")
    if settings is None or problems:
        raise SettingsError(sorted(set(problems)))
    return settings
