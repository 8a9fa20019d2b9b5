"""The demo counts leads that are there twice by the org's own records, and finds its companies in the simulated world."""

from __future__ import annotations

import pytest

from sandbox import selling
from sandbox.salesforce.local import Local


@pytest.mark.parametrize(("keys", "expected"), [((), 0), ("abc", 0), ("aabca", 2), ("aabb", 2)])
def test_what_is_there_twice(keys, expected):
    assert selling.twice(iter(keys)) == expected


@pytest.fixture
def org():
    made = Local()
    yield made
    made.stop()


class Looks:
    """What the demo asks the sandbox for, of one org."""

    def __init__(self, org):
        self._org = org

    def json(self, url):
        return {"records": list(self._org.state.rows[url.rpartition("/")[2]].values())}


def test_ours_are_live_records_with_our_key_and_a_converted_one_lives_on(org):
    for kind in selling.OBJECTS:
        org.state.add_field(kind, selling.KEY, 64, external=True)
    state, names = org.state, {"LastName": "Poe", "Company": "Acme"}
    state.create("Lead", names)
    one, two = (state.create("Lead", {**names, selling.KEY: key})["Id"] for key in ("k1", "k2"))
    gone = state.create("Task", {"Subject": "x", selling.KEY: "k3"})["Id"]
    state.delete("Task", gone)
    state.convert(two)
    state.create("Task", {"Subject": "x", selling.KEY: "k2"})
    found = list(selling._ours(Looks(org)))
    assert [(kind, row[selling.KEY]) for kind, row in found] == [("Lead", "k1"), ("Task", "k2")]
    assert found[0][1]["Id"] == one


def test_companies_by_domain_leave_out_those_whose_owner_is_gone(org):
    found = selling._by_domain(Looks(org))
    assert {len(some) for some in found.values()} == {1, 2}
    inactive = {row["Id"] for row in org.state.rows["User"].values() if not row["IsActive"]}
    assert inactive
    assert not inactive & {row["OwnerId"] for some in found.values() for row in some}
