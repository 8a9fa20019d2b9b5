"""Who somebody is now: role, groups, gone, and no answer in time."""

import pytest

from integrations import registry
from integrations.kernel.errors import ConfigError, VendorUnavailable
from integrations.kernel.vendor import Account
from integrations.transport.http import OpenGate
from integrations.zendesk.endpoints import endpoint_of
from sandbox.zendesk import simulator


@pytest.fixture
def staff(desk):
    config = {"subdomain": "acme", "client_id": simulator.CLIENT_ID, "scope": "read"}
    secrets = {"client_secret": (simulator.CLIENT_SECRET,)}
    return registry.staff(Account("con_1", "zendesk", desk.url, config, secrets), OpenGate())


def test_role_and_groups_are_those_of_now(desk, staff):
    found = staff.look_up("501")
    groups = [str(m["group_id"]) for m in desk.state.memberships.values() if m["user_id"] == 501]
    assert (found.role, found.active, sorted(found.groups)) == ("agent", True, sorted(groups))
    desk.state.set_role(501, "admin")
    desk.state.suspend(501)
    found = staff.look_up("501")
    assert (found.role, found.active) == ("admin", False)


def test_who_is_not_there_is_nobody(staff):
    assert staff.look_up("123456789") is None


def test_no_answer_in_time_is_an_error(desk, staff):
    desk.context.simulators["zendesk"].faults.set([{"path": "/users/501", "kind": "hang"}])
    with pytest.raises(VendorUnavailable):
        staff.look_up("501")


def test_a_vendor_without_look_ups_says_so():
    with pytest.raises(ConfigError):
        registry.staff(Account("con_2", "stripe", "", {}, {}), OpenGate())


def test_its_endpoints_have_names_of_their_own():
    assert endpoint_of("GET", "/api/v2/users/501.json") == "user"
    assert endpoint_of("GET", "/api/v2/users/501/group_memberships.json") == "group_memberships"
