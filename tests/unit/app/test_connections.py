"""Connections: sealed at rest, opened by whichever key fits, refused with every problem at once."""

import pytest
import sqlalchemy as sa

from app.connections import Connections, UnknownConnection
from app.connections.models import connection
from app.connections.sealing import CannotUnseal, seal, unseal
from app.connections.service import address_problems
from integrations.kernel.errors import InputError
from integrations.kernel.vendor import Port, Setting, Vendor

OLD, NEW = b"o" * 32, b"n" * 32
CARD = Vendor(
    "desk",
    "Desk",
    frozenset({Port.HELPDESK}),
    settings=(
        Setting("subdomain", "Subdomain", "the part before .desk.example", pattern=r"[a-z]+"),
        Setting("region", "Region", "where it is", default="eu"),
        Setting("webhook_secret", "Signing secret", "from the webhook's page", secret=True, never=("published",)),
    ),
)


@pytest.fixture
def connections(database):
    return Connections(database, [NEW, OLD])


def test_what_is_sealed_opens_with_its_key_and_its_connection_only():
    sealed = seal({"token": ["a", "b"]}, "con_1", [OLD])
    assert unseal(sealed, "con_1", [NEW, OLD]) == {"token": ("a", "b")}
    with pytest.raises(CannotUnseal):
        unseal(sealed, "con_2", [OLD])
    with pytest.raises(CannotUnseal):
        unseal(sealed, "con_1", [NEW])
    with pytest.raises(CannotUnseal):
        unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), "con_1", [OLD])


def test_a_connection_is_stored_sealed_and_opened_again(connections, database):
    made = connections.add(CARD, "Main", {"subdomain": "acme"}, {"webhook_secret": ["canary-secret"]})
    account = connections.account(made, "desk")
    assert account.config == {"subdomain": "acme", "region": "eu"}
    assert account.secret("webhook_secret") == "canary-secret"
    assert "canary-secret" not in repr(account)
    with database.begin() as cx:
        assert b"canary-secret" not in cx.execute(sa.select(connection.c.sealed)).scalar_one()


def test_every_missing_and_unknown_setting_is_named(connections):
    with pytest.raises(InputError) as caught:
        connections.add(CARD, "Main", {"colour": "red"}, {"subdomain": ["x"]})
    for name in ("colour", "subdomain", "webhook_secret"):
        assert f"{name}: " in str(caught.value)


def test_rotation_keeps_the_secret_before_alive_and_drops_older_ones(connections):
    made = connections.add(CARD, "Main", {"subdomain": "acme"}, {"webhook_secret": ["one"]})
    connections.rotate(CARD, made, "webhook_secret", "two")
    connections.rotate(CARD, made, "webhook_secret", "three")
    assert connections.account(made).secrets["webhook_secret"] == ("three", "two")


def test_a_disabled_connection_and_one_of_another_vendor_are_unknown(connections):
    made = connections.add(CARD, "Main", {"subdomain": "acme"}, {"webhook_secret": ["one"]})
    with pytest.raises(UnknownConnection):
        connections.account(made, "other")
    connections.set_state(made, "disabled")
    with pytest.raises(UnknownConnection):
        connections.account(made)
    assert connections.accounts() == []
    with pytest.raises(UnknownConnection):
        connections.set_state("con_none", "active")


def test_an_id_is_taken_once(connections):
    connections.add(CARD, "A", {"subdomain": "a"}, {"webhook_secret": ["s"]}, connection_id="main")
    with pytest.raises(InputError, match="taken"):
        connections.add(CARD, "B", {"subdomain": "b"}, {"webhook_secret": ["s"]}, connection_id="main")


def test_a_published_secret_and_a_value_in_the_wrong_form_are_refused_without_being_repeated(connections):
    with pytest.raises(InputError) as caught:
        connections.add(CARD, "Main", {"subdomain": "acme.evil.example"}, {"webhook_secret": ["published"]})
    assert "subdomain: " in str(caught.value)
    assert "webhook_secret: " in str(caught.value)
    assert "evil" not in str(caught.value)
    made = connections.add(CARD, "Main", {"subdomain": "acme"}, {"webhook_secret": ["one"]})
    for name, value in (("webhook_secret", "published"), ("subdomain", "x"), ("other", "x")):
        with pytest.raises(InputError):
            connections.rotate(CARD, made, name, value)
    assert connections.account(made).secrets["webhook_secret"] == ("one",)


@pytest.mark.parametrize(
    ("address", "here", "in_production"),
    [
        ("", True, True), ("https://proxy.example:8443", True, True), ("http://127.0.0.1:8410", True, False),
        ("http://user:pw@host", False, False), ("https://host/path", False, False), ("ftp://host", False, False),
        ("https://", False, False),
    ],
)  # fmt: skip
def test_an_address_in_the_vendors_place_is_an_origin_and_encrypted_in_production(address, here, in_production):
    assert (not address_problems(address, production=False)) is here
    assert (not address_problems(address, production=True)) is in_production


def test_resealing_moves_everything_to_the_newest_key(connections, database):
    made = Connections(database, [OLD]).add(CARD, "A", {"subdomain": "a"}, {"webhook_secret": ["s"]})
    assert (connections.reseal(), connections.reseal()) == (1, 0)
    assert Connections(database, [NEW]).account(made).secret("webhook_secret") == "s"


def test_settings_are_changed_later_by_the_same_rules_and_secrets_are_none_of_them(connections):
    made = connections.add(CARD, "Main", {"subdomain": "acme"}, {"webhook_secret": ["s"]})
    connections.remember(made, own_user_id="77")
    connections.configure(CARD, made, {"subdomain": "initech", "region": "us"})
    assert connections.account(made).config == {"subdomain": "initech", "region": "us", "own_user_id": "77"}
    connections.configure(CARD, made, {"region": ""})
    assert connections.account(made).config["region"] == "eu"
    for wrong in (
        {"subdomain": "A!"},
        {"subdomain": ""},
        {"colour": "red"},
        {"webhook_secret": "x"},
        {"own_user_id": "1"},
    ):
        with pytest.raises(InputError, match=next(iter(wrong))):
            connections.configure(CARD, made, wrong)
    assert connections.account(made).config["subdomain"] == "initech"
    with pytest.raises(UnknownConnection):
        connections.configure(CARD, "nobody", {"region": "us"})
