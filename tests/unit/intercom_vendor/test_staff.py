"""One admin looked up now, as where money moves."""

from __future__ import annotations

import pytest

from integrations.intercom.staff import connect_staff
from integrations.kernel.errors import ConfigError, NeedsReauthorisation, VendorUnavailable
from integrations.kernel.vendor import Account
from integrations.transport.http import OpenGate
from sandbox.intercom.simulator import ACCESS_TOKEN


@pytest.fixture
def staff(inbox):
    def build(token=ACCESS_TOKEN, **config):
        account = Account("con_1", "intercom", inbox.local.url, config, {"access_token": (token,)})
        return connect_staff(account, OpenGate())

    return build


def test_an_admin_is_told_with_seat_and_teams_as_they_are_now(staff, inbox):
    admin_id = next(i for i, one in inbox.state.admins.items() if one["team_ids"])
    found = staff().look_up(admin_id)
    assert (found.id, found.role, found.active) == (admin_id, "admin", True)
    assert found.groups == tuple(str(team) for team in inbox.state.admins[admin_id]["team_ids"])
    inbox.state.admins[admin_id]["has_inbox_seat"] = False
    assert staff().look_up(admin_id).role == "admin_without_seat"
    del inbox.state.admins[admin_id]
    assert staff().look_up(admin_id) is None


def test_a_refused_token_and_a_vendor_that_is_away_are_no_answer(staff, inbox):
    with pytest.raises(NeedsReauthorisation):
        staff("wrong").look_up("500")
    inbox.fault("cut_before")
    with pytest.raises(VendorUnavailable):
        staff().look_up("500")
    with pytest.raises(ConfigError):
        staff(region="mars")
