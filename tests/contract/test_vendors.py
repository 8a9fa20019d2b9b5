"""Every vendor folder, found and not listed: the same checks for each, and for one made from a template here.

A fixture is a delivery and what it must become: `headers`; `received` (the document; the bytes are its compact JSON) or
`body` (the bytes themselves); `secret` and `now` when the headers hold a true signature; `envelope`; `expected`, the
events, with those of their parts that are worth saying.
"""

import importlib
import json
import re
import tomllib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrations import registry
from integrations.kernel.clock import iso, parse_iso
from integrations.kernel.errors import BadSignature, ConfigError
from integrations.kernel.vendor import Account, Port, Vendor
from integrations.transport import jsonscan
from integrations.transport.http import OpenGate

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = ("Set up", "Scopes", "Limits", "Remove", "Known gaps")
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
# The checklist. A level is reached when all its rules, and those before it, are done or exempt with a reason.
RULES = {
    "bronze": ("own_verifier", "two_live_secrets", "dedupe_key", "unknown_kinds_ignored", "fixtures", "readme"),
    "silver": ("typed_errors", "deadline", "budgets", "one_retry_layer", "connection_check", "simulator"),
    "gold": ("idempotent_writes", "catch_up", "shapes_judged", "set_up_by_itself", "removes_itself"),
}


@dataclass(frozen=True)
class Folder:
    """A vendor's folder, in whichever package."""

    package: str
    card: Vendor

    @property
    def path(self):
        return Path(importlib.import_module(f"{self.package}.{self.card.slug}").__path__[0])

    def module(self, name):
        return importlib.import_module(f"{self.package}.{self.card.slug}.{name}")

    @property
    def webhook(self):
        return registry.webhook_module(self.card.slug, self.package)

    def fixtures(self):
        return sorted((self.path / "fixtures").glob("*.json"))


def check_card(folder):
    card = folder.card
    assert re.fullmatch(r"[a-z][a-z0-9_]*", card.slug)
    assert all((card.title, card.ports))
    names = [setting.name for setting in card.settings]
    assert len(names) == len({*names})
    assert all(s.title and s.help and re.fullmatch(r"[a-z][a-z0-9_]*", s.name) for s in card.settings)
    assert not [s.name for s in card.settings if s.secret and s.default], "a secret has no default"
    for host in card.hosts:
        assert set(re.findall(r"\{(\w+)\}", host)) <= set(names), host
    if Port.WEBHOOKS in card.ports:
        assert any(s.name == "webhook_secret" and s.secret for s in card.settings)
        assert card.kinds
        assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", kind) for kind in card.kinds)
    if card.ports - {Port.WEBHOOKS}:
        assert card.hosts
    pinned = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert not card.sdk or re.search(rf"^{re.escape(card.sdk)}==", pinned, re.M), f"{card.sdk} is not pinned"


def check_kinds(folder):
    """The kinds are the table's, and at most one that the module itself names beside it."""
    translate = folder.module("translate")
    table = {row if isinstance(row, str) else row[0] for row in translate.TRANSLATE.values()}
    assert table <= folder.card.kinds
    assert folder.card.kinds == translate.KINDS
    assert len(translate.KINDS - table) <= 1


def check_quality(folder):
    told = tomllib.loads((folder.path / "quality.toml").read_text(encoding="utf-8"))
    rules = told["rules"]
    every = [rule for level in RULES.values() for rule in level]
    assert sorted(rules) == sorted(every)
    for rule, state in rules.items():
        reason = state.get("exempt") or state.get("missing") if isinstance(state, dict) else None
        assert state == "done" or (reason and len(reason) > 15), f"{rule}: done, or a reason"
    levels = list(RULES)
    for level in levels[: levels.index(told["level"]) + 1]:
        short = [rule for rule in RULES[level] if isinstance(rules[rule], dict) and "missing" in rules[rule]]
        assert not short, f"not {level} yet: {short}"


def check_readme(folder):
    text = (folder.path / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {folder.card.title}\n")
    found = re.findall(r"^## (.+)$", text, re.M)
    assert [section for section in SECTIONS if section not in found] == []
    missing = [s.name for s in folder.card.settings if f"`{s.name}`" not in text]
    assert not missing, f"settings the README does not name: {missing}"


def body_of(fixture):
    if "body" in fixture:
        return fixture["body"].encode()
    return json.dumps(fixture["received"], separators=(",", ":"), ensure_ascii=False).encode()


def check_fixture(folder, path):
    fixture = json.loads(path.read_text(encoding="utf-8"))
    headers = {name.lower(): value for name, value in fixture["headers"].items()}
    body = body_of(fixture)
    now = parse_iso(fixture["now"]) if "now" in fixture else NOW
    document = jsonscan.parse(body)
    envelope = folder.webhook.envelope(headers, body, document)
    assert asdict(envelope) == {"money": False, **fixture["envelope"]}
    events = folder.webhook.parse(document, "con_1", envelope.event_key, now)
    assert all(
        (e.vendor, e.connection_id, e.event_key) == (folder.card.slug, "con_1", envelope.event_key) for e in events
    )
    assert {event.kind for event in events} <= folder.card.kinds
    shown = [shape(event) for event in events]
    kept = [{name: one[name] for name in wanted} for one, wanted in zip(shown, fixture["expected"], strict=True)]
    assert kept == fixture["expected"]
    if "secret" in fixture:
        folder.webhook.verify(headers, body, ["another", fixture["secret"]], now)
        check_refused(folder, headers, body[:-1] + b" ", fixture["secret"], now)
        check_refused(folder, headers, body, "another", now)
    for some in ({name: value for name, value in headers.items() if "signature" not in name}, {}):
        check_refused(folder, some, body, "secret", now)


def check_refused(folder, headers, body, secret, now):
    with pytest.raises(BadSignature):
        folder.webhook.verify(headers, body, [secret], now)


def shape(event):
    """An event as JSON: times as text, an object as `vendor:type:id`, tuples as lists."""
    told = {name: getattr(event, name) for name in ("kind", "occurred_at", "actor", "note")}
    told |= {"subject": str(event.subject), "record": event.record and asdict(event.record)}
    told["changes"] = {name: [change.previous, change.current] for name, change in event.changes.items()}
    return json.loads(json.dumps(told, default=lambda v: iso(v) if isinstance(v, datetime) else str(v)))


VENDORS = [Folder("integrations", card) for card in registry.vendors()]
CHECKS = [check_card, check_quality, check_readme]
by_slug = pytest.mark.parametrize("folder", VENDORS, ids=lambda folder: folder.card.slug)
listeners = pytest.mark.parametrize(
    "folder", [f for f in VENDORS if Port.WEBHOOKS in f.card.ports], ids=lambda folder: folder.card.slug
)


@by_slug
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_vendor_folder_is_complete(folder, check):
    check(folder)


@listeners
def test_the_kinds_of_a_card_come_from_its_translate_table_and_there_are_fixtures(folder):
    check_kinds(folder)
    assert folder.fixtures()


@pytest.mark.parametrize(
    ("folder", "path"),
    [pytest.param(f, path, id=f"{f.card.slug}-{path.stem}") for f in VENDORS for path in f.fixtures()],
)
def test_every_fixture_becomes_its_events_and_is_refused_unsigned(folder, path):
    check_fixture(folder, path)


def test_vendors_are_found_by_slug_and_port():
    assert registry.by_slug("zendesk").title == "Zendesk"
    assert registry.by_slug("nobody") is None
    assert [card.slug for card in registry.by_port(Port.HELPDESK)] == ["intercom", "zendesk"]
    assert [card.slug for card in registry.by_port(Port.BILLING)] == ["stripe"]
    assert [card.slug for card in registry.by_port(Port.CRM)] == ["salesforce"]


CARD = """
from integrations.kernel.vendor import Port, Setting, Vendor
from {package}.{slug}.translate import KINDS

VENDOR = Vendor("{slug}", "Acme Desk", frozenset({{Port.WEBHOOKS, Port.HELPDESK}}), ("api.acme.example",), KINDS,
                (Setting("webhook_secret", "Signing secret", "from the console", secret=True),))
"""
TRANSLATE = """
TRANSLATE = {"issue.opened": "ticket.created"}
KINDS = frozenset(TRANSLATE.values())
"""
WEBHOOK = """
from integrations.kernel.events import Envelope, Event
from integrations.kernel.ids import VendorRef
from integrations.transport.signatures import base64_digest, header, matches
from integrations.kernel.errors import BadSignature
from {package}.{slug}.translate import TRANSLATE

def verify(headers, body, secrets, now):
    if not matches(secrets, body, [base64_digest(header(headers, "x-acme-signature"))]):
        raise BadSignature

def envelope(headers, body, document):
    return Envelope(document["id"], document["type"], f"ticket:{{document['issue']}}")

def parse(document, connection_id, event_key, received_at):
    kind = TRANSLATE.get(document["type"])
    subject = VendorRef("{slug}", "ticket", document["issue"])
    return [Event(kind, "{slug}", connection_id, event_key, subject, received_at)] if kind else []
"""
CLIENT = """
def connect(account, gate):
    return ("client of", account.connection_id)
"""
FIXTURE = {
    "headers": {"X-Acme-Signature": "o0EhMQzKznFDMR3ktaJCGJZl7BmyMoN48E+5JMEn14U="},
    "received": {"id": "a1", "type": "issue.opened", "issue": "7"},
    "envelope": {"event_key": "a1", "kind": "issue.opened", "lane": "ticket:7"},
    "expected": [{"kind": "ticket.created", "subject": "acme:ticket:7"}],
}
README = "# Acme Desk\n\n" + "".join(f"## {section}\n`webhook_secret`\n\n" for section in SECTIONS)


def write_vendor(root, package, slug, *, folder=""):
    """A minimal vendor, complete, from a template."""
    path = root / package / (folder or slug)
    (path / "fixtures").mkdir(parents=True)
    (root / package / "__init__.py").write_text("")
    names = {"package": package, "slug": folder or slug}
    files = {"__init__.py": "", "translate.py": TRANSLATE, "client.py": CLIENT, "README.md": README}
    files |= {"webhook.py": WEBHOOK.format(**names), "vendor.py": CARD.format(**names)}
    if folder:
        files["vendor.py"] = files["vendor.py"].replace(f'Vendor("{folder}"', f'Vendor("{slug}"')
    rules = "".join(f'{rule} = "done"\n' for level in RULES.values() for rule in level)
    files["quality.toml"] = f'level = "gold"\n[rules]\n{rules}'
    files["fixtures/opened.json"] = json.dumps(FIXTURE)
    for name, text in files.items():
        (path / name).write_text(text)
    return path


@pytest.fixture
def more(tmp_path, monkeypatch):
    """An importable place for a test's vendor folders, and a package name of its own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path, f"more_{tmp_path.name.replace('-', '_')}"


def test_a_new_vendor_folder_is_found_tested_and_listed_with_no_other_edit(more):
    root, package = more
    write_vendor(root, package, "acme")
    found = registry.find(package)
    assert list(found) == ["acme"]
    folder = Folder(package, found["acme"])
    for check in (*CHECKS, check_kinds):
        check(folder)
    (path,) = folder.fixtures()
    check_fixture(folder, path)
    assert registry.client(Account("con_7", "acme"), OpenGate(), package) == ("client of", "con_7")


@pytest.mark.parametrize("missing", ["vendor.py", "webhook.py", "translate.py", "client.py"])
def test_a_half_made_folder_is_refused_with_what_to_add(more, missing):
    root, package = more
    (write_vendor(root, package, "acme") / missing).unlink()
    if missing == "translate.py":
        card = root / package / "acme" / "vendor.py"
        card.write_text(card.read_text().replace(f"from {package}.acme.translate import KINDS", "KINDS = frozenset()"))
    with pytest.raises(ConfigError, match=missing):
        registry.find(package)


def test_two_folders_with_one_slug_are_refused(more):
    root, package = more
    write_vendor(root, package, "acme")
    write_vendor(root, package, "acme", folder="beta")
    with pytest.raises(ConfigError, match="is taken"):
        registry.find(package)


def test_a_folder_with_another_name_than_its_slug_is_refused(more):
    write_vendor(*more, "acme", folder="beta")
    with pytest.raises(ConfigError, match="must be the same"):
        registry.find(more[1])


def test_a_folder_without_a_card_is_refused(more):
    (write_vendor(*more, "acme") / "vendor.py").write_text("VENDOR = 'acme'\n")
    with pytest.raises(ConfigError, match="no VENDOR card"):
        registry.find(more[1])
