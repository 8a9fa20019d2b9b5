"""The short form of `make faults`: real servers of the whole product, struck under load."""

from __future__ import annotations

import pytest

from sandbox import faults


@pytest.fixture(scope="module")
def day(demo_ports):
    with faults.product() as made:
        yield made


@pytest.mark.parametrize("fault", sorted(faults.FAULTS))
def test_nothing_is_lost_or_doubled(day, fault):
    line = faults.strike(day, fault, events=60, copies=3, scale=0.1)
    assert faults.is_well(line), line
