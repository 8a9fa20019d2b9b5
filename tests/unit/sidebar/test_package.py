"""The app for Zendesk: what is packed passes every rule, and each planted fault is caught by its name."""

from __future__ import annotations

import io
import json
import zipfile
from xml.etree import ElementTree

import pytest

from app.cli.zendesk_app import FOLDER, app_files, packed
from app.cli.zendesk_icons import icon, png
from app.cli.zendesk_rules import validate
from tests import sidebar_world as world

BASE = "https://desk.example.com"


def good():
    return app_files(FOLDER, BASE, "zendesk_main")


def test_the_app_passes_and_opens_our_own_address():
    files = good()
    assert validate(files) == []
    manifest = json.loads(files["manifest.json"])
    places = manifest["location"]["support"]
    assert {"ticket_sidebar", "new_ticket_sidebar", "user_sidebar"} <= set(places)
    assert {place["url"] for place in places.values()} == {f"{BASE}/sidebar/zendesk_main"}
    assert manifest["signedUrls"] is True


def test_the_same_app_is_the_same_zip_with_the_manifest_at_its_root():
    once = packed(good())
    assert once == packed(good())
    with zipfile.ZipFile(io.BytesIO(once)) as archive:
        assert archive.testzip() is None
        assert {"manifest.json", "assets/logo.png", "assets/logo-small.png", "translations/en.json"} <= set(
            archive.namelist()
        )


def test_every_language_has_the_same_texts():
    def names(node, path=""):
        return {
            n for k, v in node.items() for n in (names(v, f"{path}.{k}") if isinstance(v, dict) else {f"{path}.{k}"})
        }

    files = good()
    found = [names(json.loads(body)) for path, body in files.items() if path.startswith("translations/")]
    assert len(found) >= 2
    assert all(one == found[0] for one in found)


def manifest(**changed):
    def plant(files):
        read = json.loads(files["manifest.json"])
        read.update(changed)
        files["manifest.json"] = json.dumps({k: v for k, v in read.items() if v is not None}).encode()

    return plant


def file(path, body):
    def plant(files):
        if body is None:
            del files[path]
        else:
            files[path] = body

    return plant


def support(**places):
    return manifest(location={"support": places})


def bar(url):
    return support(nav_bar={"url": url})


def texts(app, path="translations/en.json"):
    return file(path, json.dumps({"app": app}).encode())


def both(*plants):
    def plant(files):
        for one in plants:
            one(files)

    return plant


def parameter(**changed):
    return manifest(parameters=[{"name": "colour", "type": "text", **changed}])


FAULTS = {
    "required": [manifest(author=None), manifest(defaultLocale=None), manifest(location=None), manifest(frameworkVersion=None)],
    "framework-version": [manifest(frameworkVersion="1.0")],
    "name": [manifest(name="x" * 41), manifest(name="Zendesk billing")],
    "boolean": [manifest(signedUrls="true"), manifest(private=1), support(ticket_sidebar={"url": BASE, "flexible": "yes"})],
    "domain-whitelist": [manifest(domainWhitelist="a.example"), manifest(domainWhitelist=[1])],
    "signed-urls": [
        manifest(signedUrls=False), manifest(signedUrls=None), support(ticket_sidebar={"url": BASE, "signed": False}),
    ],
    "author": [manifest(author="me"), manifest(author=["me"])],
    "author-url": [
        manifest(author={"name": "x", "url": "ftp://x"}), manifest(termsConditionsURL="terms.html"),
        manifest(author={"name": "x", "url": "https://[x"}),
    ],
    "location": [
        support(somewhere={"url": BASE}), manifest(location="support"), support(), manifest(location={"support": {}, "sell": {}}),
    ],
    "icon": [file("assets/icon_nav_bar.svg", None), support(ticket_editor={"url": BASE}), support(top_bar={"url": BASE})],
    "product": [manifest(location={"mail": {}})],
    "location-url": [
        support(ticket_sidebar={"url": "http://desk.example.com"}), support(ticket_sidebar={"url": "http://127.0.0.1:8300"}),
        support(ticket_sidebar={"url": "assets/none.html"}), support(ticket_sidebar="http://x.example"), support(ticket_sidebar={}),
        bar("{{base_url}}/x"), bar("{{setting.a}}/{{connection}}"), bar("{{setting.a}"), bar("ftp://localhost/x"),
        bar("//localhost/x"), bar("https://[x"), bar(["https://x.example"]), bar("https://me:pw@x.example"),
    ],
    "parameters": [
        manifest(parameters={"a": 1}), manifest(parameters=["a"]), manifest(parameters="a"), manifest(parameters=[None]),
    ],
    "parameter-twice": [manifest(parameters=[{"name": "a"}, {"name": "a"}])],
    "parameter-name": [parameter(name="name")],
    "parameter-type": [parameter(type="password"), parameter(type=["text"])],
    "parameter-hidden": [parameter(type="hidden", required=True)],
    "parameter-oauth": [parameter(type="oauth", secure=True, scopes=["header"])],
    "parameter-scopes": [parameter(scopes=["header"]), parameter(secure=True, scopes=[]), parameter(secure=True, scopes=["cookie"]),
        parameter(secure=True, scopes="header"), parameter(secure=True, scopes=5), parameter(secure=True, scopes=[["header"]])],
    "parameter-no-scopes": [parameter(secure=True)],
    "parameter-not-secure": [parameter(name="api_token")],
    "parameter-default": [parameter(secure=True, scopes=["header"], default="x"), parameter(type="hidden", default="x")],
    "locale": [manifest(defaultLocale="english")],
    "translation": [
        parameter(), manifest(private=False) , file("translations/en.json", b'{"app": {}}'), texts(None), texts([1]),
        texts("x"), texts(None, "translations/de.json"), file("translations/en.json", b"{}"), parameter(name=["a"]),
        both(parameter(), texts({"name": "x", "parameters": None})), both(parameter(), texts({"name": "x", "parameters": [1]})),
        both(parameter(), texts({"name": "x", "parameters": {"colour": "Colour"}})),
    ],
    "missing-file": [file("manifest.json", None), file("translations/en.json", None), file("assets/logo.png", None)],
    "not-json": [file("manifest.json", b"{"), file("manifest.json", b"[]"), file("translations/de.json", b"{,}"),
        file("translations/de.json", b"[" * 200_000)],
    "duplicate-key": [file("manifest.json", b'{"name": "a", "name": "b"}')],
    "picture": [
        file("assets/logo.png", icon(128, rounded=False)), file("assets/logo-small.png", b"GIF89a"),
        file("assets/banner.png", png(830, 201, [b"\0" * 4 * 830] * 201)),
    ],
    "file-type": [file("assets/a.pdf", b""), file("assets/a.txt", b"PK\x03\x04"), file("assets/a.rar", b"")],
    "insecure-address": [file("assets/a.js", b"fetch('http://a.example')")],
    "secret": [file("assets/a.js", b"const password = 1"), file("assets/a.html", b"<i>" + b"a1" * 20 + b"</i>"),
        bar(f"{BASE}/x?key={'a1' * 20}"), bar(f"{BASE}/x#{'a1' * 20}"), manifest(version="a1" * 20)],
}  # fmt: skip
CASES = [(rule, n) for rule, plants in FAULTS.items() for n in range(len(plants))]


@pytest.mark.parametrize(("rule", "n"), CASES)
def test_a_planted_fault_is_caught_by_its_name(rule, n):
    files = good()
    if rule == "translation" and n == 1:  # a public app needs the texts of the Marketplace
        files["translations/en.json"] = b'{"app": {"name": "Deskbridge"}}'
    FAULTS[rule][n](files)
    assert rule in {finding.rule for finding in validate(files)}


def test_a_link_in_place_of_a_file_is_caught():
    assert [f.rule for f in validate(good(), frozenset({"assets/logo.svg"}))] == ["symlink"]


def test_what_may_be_named_in_an_address_is_taken():
    files = good()
    support(ticket_sidebar={"url": "{{setting.base}}/sidebar"}, nav_bar={"url": "http://localhost:8300/x"})(files)
    assert validate(files) == []


@pytest.mark.parametrize(("base", "connection"), [
    ("https://deskbridge-customer-operations-4f7ab2c1d9e0-uc.a.run.app", "zendesk_main"), (BASE, "c" * 40),
    ("https://secret.example", "zendesk_main"),
])  # fmt: skip
def test_an_address_of_ours_is_no_secret(base, connection):
    assert validate(app_files(FOLDER, base, connection)) == []


def test_the_icon_of_the_navigation_bar_takes_the_colour_it_is_given():
    drawn = good()["assets/icon_nav_bar.svg"].decode()
    root = ElementTree.fromstring(drawn)  # noqa: S314 - drawn here
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox")
    assert not {name for one in root.iter() for name in one.attrib} & {"fill", "stroke", "style", "class", "color"}


def run(app, *words):
    return app.test_cli_runner().invoke(args=["zendesk", *words])


@pytest.fixture
def commands(app):
    from app.cli import register

    register(app)
    return app


def test_the_commands_pack_check_and_connect(commands, tmp_path, database):
    out, key = tmp_path / "app.zip", tmp_path / "key.pem"
    refused = run(commands, "package", "desk", "--out", str(out))
    assert (refused.exit_code, "location-url" in refused.output, out.exists()) == (1, True, False)
    out.write_bytes(packed(good()))
    assert run(commands, "validate", str(out)).exit_code == 0
    key.write_text("no zip")
    broken = run(commands, "validate", str(key))
    assert (broken.exit_code, "is no zip" in broken.output) == (1, True)
    key.write_text("-----BEGIN PRIVATE KEY-----")
    assert run(commands, "connect", "desk", "--installation", "7002", "--key", str(key)).exit_code == 1
    key.write_text(world.SIGNER.public_pem())
    assert run(commands, "connect", "desk", "--installation", "seven", "--key", str(key)).exit_code == 1
    assert run(commands, "connect", "desk", "--installation", "7002", "--key", str(key)).exit_code == 0
    assert commands.extensions["deskbridge"].connections.account("desk").config["installation_id"] == "7002"


def test_the_claims_of_the_last_token_are_shown_by_name(commands, as_agent):
    assert "No page was opened" in run(commands, "claims", "desk").output
    as_agent()
    shown = run(commands, "claims", "desk").output
    assert "aud, context, exp, iat, iss, jti, nbf, qsh, sub" in shown
    assert "501" not in shown
