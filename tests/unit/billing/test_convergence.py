"""Whatever the order and number of events, reads and re-reads, the mirror ends as the vendor is."""

import random
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.billing import profiles, rereads, service, store
from app.billing.models import billing_object
from integrations.kernel.billing import Gone

CON, KEY = "con_1", "seats_used"


class Vendor:
    """The objects as they are now, and the events of how they came to be; many fall into one second."""

    def __init__(self, rng, make):
        self.now, self.events, self.current = make.NOW - timedelta(hours=1), [], {}
        self.reads = 0
        for _ in range(40):
            self.now += timedelta(seconds=rng.choice((0, 0, 1, 50)))
            self._happen(rng.choice(self._acts(rng, make)))

    def _acts(self, rng, make):
        n = rng.randrange(3)
        return [
            make.payer(f"cus_{n}", email=f"{rng.randrange(9)}@x.example"),
            make.subscription(make.item(100, rng.randrange(1, 9)), sid=f"sub_{n}", pid=f"cus_{n}",
                              status=rng.choice(("active", "past_due", "canceled"))),
            make.charge(1000, cid=f"ch_{n}", pid=f"cus_{n}", refunded=rng.randrange(900), days=0),
            make.dispute(rng.choice(("needs_response", "won")), did=f"dp_{n}", charge_id=f"ch_{n}"),
            rng.choice((make.card(mid=f"pm_{n}", pid=f"cus_{n}"), Gone("payment_method", f"pm_{n}"))),
        ]  # fmt: skip

    def _happen(self, record):
        self.current[key_of(record)] = record
        self.events.append((record, self.now))

    def fetch(self, kind, object_id):
        self.reads += 1
        return self.current.get((kind, object_id))


def key_of(record):
    kinds = {"Payer": "payer", "Subscription": "subscription", "Charge": "charge", "Dispute": "dispute"}
    return (record.kind if isinstance(record, Gone) else kinds.get(type(record).__name__, "payment_method"), record.id)


def deliver(database, rng, vendor):
    """Every event at least once, shuffled, in batches of any size, with pages and re-reads in between."""
    told = vendor.events + rng.sample(vendor.events, 15)
    rng.shuffle(told)
    while told:
        batch, told = told[: (size := rng.randrange(1, 7))], told[size:]
        with database.begin() as cx:
            service.refresh(cx, CON, service.apply(cx, CON, batch, KEY), KEY)
        if rng.random() < 0.2:
            page = rng.sample(sorted(vendor.current), 3)
            with database.begin() as cx:
                read = [(vendor.current[key], vendor.now) for key in page]
                service.refresh(cx, CON, service.apply(cx, CON, read, KEY, read=True), KEY)
        if rng.random() < 0.2:
            rereads.drain(database, lambda _: vendor, KEY, lambda *_: None)


def state(database):
    with database.begin() as cx:
        o = billing_object.c
        rows = cx.execute(sa.select(o.kind, o.id, o.gone, o.data)).all()
        objects = {(r.kind, r.id): None if r.gone else r.data for r in rows}
        return objects, profiles(cx, [(CON, f"cus_{n}") for n in range(3)])


@pytest.mark.parametrize("seed", range(12))
def test_any_order_and_number_ends_as_the_vendor_is(database, make, seed):
    rng = random.Random(seed)
    vendor = Vendor(rng, make)
    deliver(database, rng, vendor)
    while rereads.drain(database, lambda _: vendor, KEY, lambda *_: None):
        pass
    objects, found = state(database)
    assert {k: v is None for k, v in objects.items()} == {k: isinstance(v, Gone) for k, v in vendor.current.items()}
    from app.billing.records import to_json

    assert {k: v for k, v in objects.items() if v} == {
        k: to_json(v) for k, v in vendor.current.items() if not isinstance(v, Gone)
    }
    with database.begin() as cx:  # what was computed on the way is what is computed from the end state
        assert service.refresh(cx, CON, [f"cus_{n}" for n in range(3)], KEY) == {
            f"cus_{n}" for n in range(3) if (CON, f"cus_{n}") not in found
        }
        assert store.take_rereads(cx, 9) == []


def test_a_reread_that_fails_stays_wanted_and_does_not_stop_the_others(database, make):
    from integrations.kernel.errors import VendorUnavailable

    class Down(Vendor):
        def fetch(self, kind, object_id):
            if object_id == "cus_0":
                raise VendorUnavailable
            return super().fetch(kind, object_id)

    vendor = Down(random.Random(1), make)
    vendor.current = {("payer", f"cus_{n}"): make.payer(f"cus_{n}") for n in range(2)}
    with database.begin() as cx:
        store.want_reread(cx, CON, vendor.current)
    with pytest.raises(VendorUnavailable):
        rereads.drain(database, lambda _: vendor, KEY, lambda *_: None)
    with database.begin() as cx:
        assert store.take_rereads(cx, 9) == [(CON, "payer", "cus_0")]


def test_an_object_the_vendor_has_no_more_is_gone(database, make):
    told = []
    vendor = Vendor(random.Random(2), make)
    vendor.current = {}
    with database.begin() as cx:
        service.apply(cx, CON, [(make.payer("cus_7"), make.NOW)], KEY)
        store.want_reread(cx, CON, [("payer", "cus_7")])
    tell = lambda cx, con, record, at, changed: told.append((con, record))  # noqa: E731
    assert rereads.drain(database, lambda _: vendor, KEY, tell) == 1
    assert told == [(CON, Gone("payer", "cus_7"))]
    assert state(database)[0] == {("payer", "cus_7"): None}
