"""Connections: sealed at rest, opened by whichever key fits, refused with every problem at once."""

import pytest
import sqlalchemy as sa

from app.connections import Connections, UnknownConnection
from app.connections.models import connection
from app.connections.sealing import CannotUnseal, seal, unseal
from integrations.kernel.errors import InputError
from integrations.kernel.vendor import Port, Setting, Vendor

OLD, NEW = b"o" * 32, b"n" * 32
CARD = Vendor(
    "desk",
    "Desk",
    frozenset({Port.HELPDESK}),
    settings=(
        Setting("subdomain", "Subdomain", "the part before .desk.example"),
        Setting("region", "Region", "where it is", default="eu"),
        Setting("webhook_secret", "Signing secret", "from the webhook's page", secret=True),
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
    connections.rotate(made, "webhook_secret", "two")
    connections.rotate(made, "webhook_secret", "three")
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
