"""The gate: breaker, budgets and what the vendor's headers teach, over a real Redis."""

import threading
import time

import pytest
from prometheus_client import REGISTRY

from integrations.kernel.errors import RateLimited, VendorUnavailable
from integrations.kernel.vendor import Account
from integrations.transport.breaker import Breaker
from integrations.transport.gate import SharedGate
from integrations.transport.limits import Limit
from integrations.transport.protocols import Room

ACCOUNT = Account("con_1", "vendor")
TABLE = {
    "account": (100, 60.0),
    "write": (Limit("writes", 20, 60.0), Limit("one", 5, 600.0, each=True)),
    "other_write": (Limit("writes", 20, 60.0),),
}


@pytest.fixture
def gate(redis_client):
    made = SharedGate(redis_client)
    made.limit("vendor", TABLE)
    return made


def call(gate, endpoint="read", status=200, *, account=ACCOUNT, wait_s=0.0, people=False, **headers):
    gate.enter(account, endpoint, people=people, wait_s=wait_s)
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    gate.leave(account, endpoint, status=status, headers=named, seconds=0.01)


def test_account_endpoint_class_and_object_are_all_kept(gate):
    for _ in range(4):
        call(gate, "write#7")
    with pytest.raises(RateLimited):
        call(gate, "write#7")
    for number in range(12):
        call(gate, f"write#{100 + number}")
    with pytest.raises(RateLimited) as caught:
        call(gate, "other_write")
    assert 0 < caught.value.retry_after_s <= 60
    call(gate, "read")
    assert gate.budget_left(ACCOUNT, "other_write") == {"account": 63, "writes": 0}


def test_an_account_may_have_a_plan_of_its_own_by_the_minute_or_the_second(gate):
    small = Account("con_2", "vendor", config={"calls_per_minute": "5"})
    for _ in range(4):
        call(gate, account=small)
    with pytest.raises(RateLimited):
        call(gate, account=small)
    fast = Account("con_3", "vendor", config={"calls_per_second": 10})
    assert gate.budget_left(fast, "read") == {"account": 8}


def test_limits_can_be_switched_off_for_a_simulator(gate):
    for _ in range(200):
        call(gate, account=Account("con_4", "vendor", config={"limits": "off"}))


def test_a_call_waits_for_budget_as_long_as_it_may(gate):
    fast = Account("con_5", "vendor", config={"calls_per_second": "5"})
    started = time.monotonic()
    for _ in range(8):
        call(gate, account=fast, wait_s=1.5)
    assert 0.9 < time.monotonic() - started < 1.6


def test_who_closes_an_account_closes_it_for_every_process_and_endpoint_and_no_later_word_makes_it_shorter(
    gate, redis_client
):
    other = SharedGate(redis_client)
    assert other.room(ACCOUNT).wait_s == 0
    gate.close(ACCOUNT, 3600.0)
    gate.close(ACCOUNT, 5.0)
    assert 3590 < other.room(ACCOUNT).wait_s <= 3600
    for endpoint, people in (("read", False), ("write#7", True)):
        with pytest.raises(RateLimited) as caught:
            call(other, endpoint, people=people)
        assert caught.value.retry_after_s > 3590
    call(other, account=Account("con_9", "vendor"))
    gate.close(Account("con_4", "vendor", config={"limits": "off"}), 3600.0)
    call(gate, account=Account("con_4", "vendor"))


def test_a_429_closes_the_account_for_people_too(gate):
    call(gate, status=429, Retry_After=37)
    with pytest.raises(RateLimited) as caught:
        call(gate, "write#1", people=True)
    assert 36 < caught.value.retry_after_s <= 37


def test_a_429_while_the_account_has_room_closes_the_endpoint_class_only(gate):
    call(gate, "write#1", status=429, Retry_After=20, X_Rate_Limit_Remaining=90, X_Rate_Limit=100)
    call(gate, "read")
    with pytest.raises(RateLimited):
        call(gate, "other_write")


def test_a_503_that_says_when_is_obeyed(gate):
    call(gate, status=503, Retry_After=9)
    with pytest.raises(RateLimited) as caught:
        call(gate)
    assert 8 < caught.value.retry_after_s <= 9


def test_what_others_use_of_the_account_is_learned_from_the_headers(gate):
    call(gate, X_Rate_Limit=100, X_Rate_Limit_Remaining=30)
    assert gate.budget_left(ACCOUNT, "read") == {"account": 10}
    call(gate, ratelimit_limit=100, ratelimit_remaining=21, ratelimit_reset=40)
    call(gate)
    with pytest.raises(RateLimited) as caught:
        call(gate)
    assert caught.value.retry_after_s < 41, "the vendor's window ends before ours"
    call(gate, people=True)


def test_a_plan_smaller_than_was_set_is_learned(gate):
    call(gate, X_Rate_Limit=40, X_Rate_Limit_Remaining=10)
    with pytest.raises(RateLimited):
        call(gate)


def test_an_endpoint_limit_of_the_headers_closes_an_endpoint_we_know_no_limit_of(gate):
    call(gate, "search", zendesk_ratelimit_search_index="total=100; remaining=0; resets=41")
    with pytest.raises(RateLimited) as caught:
        call(gate, "search")
    assert 40 < caught.value.retry_after_s <= 41
    call(gate, "read")


def test_junk_in_the_headers_is_ignored(gate):
    call(gate, X_Rate_Limit_Remaining="٣", ratelimit_reset="-1", zendesk_ratelimit_x="remaining=many", Retry_After="x")
    assert gate.budget_left(ACCOUNT, "read") == {"account": 79}


def test_an_open_breaker_calls_nothing_and_takes_no_budget(gate):
    for _ in range(5):
        call(gate, status=None)
    before = gate.budget_left(ACCOUNT, "read")
    with pytest.raises(VendorUnavailable, match="next try in"):
        call(gate)
    assert gate.budget_left(ACCOUNT, "read") == before
    call(gate, account=Account("con_9", "vendor"))


def test_calls_are_counted_by_endpoint_and_outcome_without_the_object(gate):
    def count(outcome):
        labels = {"vendor": "vendor", "endpoint": "write", "outcome": outcome}
        return REGISTRY.get_sample_value("deskbridge_vendor_calls_total", labels) or 0

    before = [count(outcome) for outcome in ("200", "429", "budget")]
    call(gate, "write#55")
    call(gate, "write#55", status=429, Retry_After=5)
    with pytest.raises(RateLimited):
        call(gate, "write#55")
    assert [count(outcome) for outcome in ("200", "429", "budget")] == [number + 1 for number in before]
    left = {"connection": "con_1", "bucket": "account"}
    assert REGISTRY.get_sample_value("deskbridge_vendor_budget_left", left) == 79


class Time:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Time()


def test_the_breaker_opens_at_half_of_twenty_calls_in_a_minute(clock):
    breaker = Breaker(clock)
    for number in range(19):
        breaker.tell(ok=number % 2 == 0)
    assert breaker.closed_for_s() == 0
    breaker.tell(ok=False)
    assert breaker.closed_for_s() == 15


def test_failures_older_than_a_minute_do_not_count(clock):
    breaker = Breaker(clock)
    for _ in range(19):
        breaker.tell(ok=False)
    clock.now += 61
    for _ in range(10):
        breaker.tell(ok=True)
    for _ in range(10):
        breaker.tell(ok=False)
    assert breaker.closed_for_s() == 15
    assert Breaker(clock).closed_for_s() == 0


def test_five_straight_time_outs_open_it_and_an_answer_between_does_not(clock):
    breaker = Breaker(clock)
    for timeout in (True, True, True, True, False, True, True, True, True):
        breaker.tell(ok=not timeout, timeout=timeout)
    assert breaker.closed_for_s() == 0
    breaker.tell(ok=False, timeout=True)
    assert breaker.closed_for_s() == 15


def opened(clock):
    breaker = Breaker(clock)
    for _ in range(5):
        breaker.tell(ok=False, timeout=True)
    return breaker


def test_one_probe_goes_out_and_pauses_double_to_five_minutes(clock):
    breaker, pauses = opened(clock), []
    for _ in range(7):
        pauses.append(breaker.closed_for_s())
        clock.now += pauses[-1]
        assert breaker.closed_for_s() == 0, "the probe"
        assert breaker.closed_for_s() > 0, "and nobody beside it"
        breaker.tell(ok=False)
    assert pauses == [15, 30, 60, 120, 240, 300, 300]


def test_a_probe_that_is_answered_closes_it_and_the_next_pause_is_short_again(clock):
    breaker = opened(clock)
    clock.now += 15
    assert breaker.closed_for_s() == 0
    breaker.tell(ok=True)
    assert breaker.closed_for_s() == 0
    for _ in range(5):
        breaker.tell(ok=False, timeout=True)
    assert breaker.closed_for_s() == 15


def test_a_probe_that_found_no_budget_leaves_its_place_to_the_next(clock):
    breaker = opened(clock)
    clock.now += 15
    assert breaker.closed_for_s() == 0
    breaker.not_called()
    assert breaker.closed_for_s() == 0


def test_a_call_that_was_under_way_when_it_opened_is_not_taken_for_the_probe(clock):
    breaker = opened(clock)
    clock.now += 15
    assert breaker.closed_for_s() == 0
    late = threading.Thread(target=lambda: breaker.tell(ok=True))
    late.start()
    late.join()
    assert breaker.closed_for_s() > 0
    breaker.tell(ok=True)
    assert breaker.closed_for_s() == 0


def test_a_probe_that_was_never_heard_of_again_is_given_up(clock):
    breaker = opened(clock)
    clock.now += 15
    assert breaker.closed_for_s() == 0
    clock.now += 61
    assert breaker.closed_for_s() == 0


DAILY = Account("con_9", "vendor", config={"calls_per_day": "50", "daily_share": "20"})


def test_a_share_of_the_day_is_kept_to_to_the_last_call_and_by_people_too(gate):
    for n in range(10):
        assert gate.room(DAILY) == Room(made=n, share=10)
        call(gate, account=DAILY)
    room = gate.room(DAILY)
    assert (room.made, room.share) == (10, 10)
    assert 86_000 < room.wait_s <= 86_400
    for people in (False, True):
        with pytest.raises(RateLimited) as caught:
            call(gate, account=DAILY, people=people)
    assert 86_000 < caught.value.retry_after_s <= 86_400


def test_calls_of_others_do_not_eat_our_share_and_stop_us_at_four_fifths_of_the_day(gate):
    call(gate, account=DAILY, Sforce_Limit_Info="api-usage=39/50")
    assert gate.room(DAILY) == Room(made=1, share=10)
    call(gate, account=DAILY, Sforce_Limit_Info="api-usage=40/50")
    assert gate.room(DAILY).wait_s > 0
    assert gate.room(DAILY).made == 2


def test_without_a_day_that_was_told_there_is_no_share(gate):
    for config in ({"daily_share": "20"}, {"calls_per_day": "50"}, {"calls_per_day": "50", "limits": "off"}):
        assert gate.room(Account("con_8", "vendor", config=config)).share is None


def test_to_ask_for_room_takes_none(gate):
    for _ in range(50):
        gate.room(DAILY)
    call(gate, account=DAILY)
    assert gate.room(DAILY).made == 1


def test_a_closed_account_has_no_room_until_then(gate):
    call(gate, account=DAILY, status=429, Retry_After=30)
    assert 29 < gate.room(DAILY).wait_s <= 30


def test_with_redis_away_room_is_unknown_and_each_process_keeps_to_its_part():
    import redis

    gone = SharedGate(redis.Redis(port=9, socket_connect_timeout=0.1), workers=2)
    assert gone.room(DAILY) == Room(made=None, share=10)
    for _ in range(5):
        call(gone, account=DAILY)
    with pytest.raises(RateLimited):
        call(gone, account=DAILY)
