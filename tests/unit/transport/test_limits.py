"""Budgets in a real Redis, shared by several clients as by several workers."""

import threading
import time

import pytest
import redis

from integrations.transport.limits import Budgets, Limit

MINUTE = Limit("account", 10, 60.0)
SHORT = Limit("account", 5, 0.4)


def take_all(budgets, *limits, people=False):
    taken = 0
    while budgets.take("con_1", limits, people=people) == 0:
        taken += 1
    return taken


def test_machines_take_four_fifths_and_people_the_rest(redis_client):
    budgets = Budgets(redis_client)
    assert take_all(budgets, MINUTE) == 8
    assert budgets.left("con_1", MINUTE) == 0
    assert take_all(budgets, MINUTE, people=True) == 2
    assert take_all(budgets, MINUTE) == 0


def test_what_people_take_counts_for_machines(redis_client):
    budgets = Budgets(redis_client)
    for _ in range(5):
        assert budgets.take("con_1", [MINUTE], people=True) == 0
    assert take_all(budgets, MINUTE) == 3


def test_many_workers_and_threads_together_stay_within_the_limit(valkey, redis_client):
    limit, taken = Limit("account", 100, 60.0), []
    clients = [valkey.client() for _ in range(4)]

    def work(client):
        budgets = Budgets(client)
        taken.append(sum(budgets.take("con_1", [limit]) == 0 for _ in range(60)))

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()
    assert sum(taken) == 80


def test_several_buckets_are_taken_together_or_not_at_all(redis_client):
    budgets = Budgets(redis_client)
    ticket = Limit("ticket:7", 3, 600.0, each=True)
    assert take_all(budgets, MINUTE, ticket) == 2  # four fifths of three
    assert budgets.left("con_1", MINUTE) == 6, "what the full bucket refused was not taken from the other"
    assert budgets.take("con_1", [MINUTE, Limit("ticket:8", 3, 600.0, each=True)]) == 0


def test_connections_do_not_share(redis_client):
    budgets = Budgets(redis_client)
    take_all(budgets, MINUTE)
    assert budgets.take("con_2", [MINUTE]) == 0


def test_the_window_slides_and_the_wait_that_was_told_is_enough(redis_client):
    budgets = Budgets(redis_client)
    assert take_all(budgets, SHORT) == 4
    pause_s = budgets.take("con_1", [SHORT])
    assert 0 < pause_s <= 0.4
    time.sleep(pause_s)
    assert budgets.take("con_1", [SHORT]) == 0


def test_machines_wait_until_enough_of_what_people_took_has_passed(redis_client):
    budgets = Budgets(redis_client)
    for _ in range(5):
        assert budgets.take("con_1", [SHORT], people=True) == 0
        time.sleep(0.04)
    time.sleep(budgets.take("con_1", [SHORT]))
    assert budgets.take("con_1", [SHORT]) == 0


def test_a_closed_bucket_is_closed_for_every_worker_until_then_to_the_second(valkey, redis_client):
    budgets, other = Budgets(redis_client), valkey.client()
    budgets.close("con_1", MINUTE, 37.0)
    budgets.close("con_1", MINUTE, 2.0)  # shortens nothing
    assert 36.5 < Budgets(other).take("con_1", [MINUTE], people=True) <= 37.0
    other.close()
    budgets.close("con_2", MINUTE, 0.2)
    time.sleep(budgets.take("con_2", [MINUTE]))
    assert budgets.take("con_2", [MINUTE]) == 0


def test_a_bucket_without_a_limit_can_be_closed_all_the_same(redis_client):
    budgets, endpoint = Budgets(redis_client), Limit("endpoint:search", 0, 60.0)
    assert all(budgets.take("con_1", [MINUTE, endpoint]) == 0 for _ in range(3))
    budgets.close("con_1", endpoint, 9.0)
    assert 8 < budgets.take("con_1", [MINUTE, endpoint]) <= 9


def test_calls_of_others_are_counted_while_the_vendor_says_so(redis_client):
    budgets = Budgets(redis_client)
    budgets.take("con_1", [MINUTE])
    budgets.counted("con_1", MINUTE, 6, 0.3)  # the vendor has seen six, one of them ours
    assert budgets.left("con_1", MINUTE) == 2
    assert take_all(budgets, MINUTE) == 2
    time.sleep(budgets.take("con_1", [MINUTE]))
    assert take_all(budgets, MINUTE) == 5
    budgets.counted("con_1", MINUTE, 3, 60)  # fewer than ours: nobody else calls
    assert budgets.left("con_1", MINUTE) == 0


def test_nothing_is_left_in_redis_when_a_window_is_over(redis_client):
    budgets = Budgets(redis_client)
    take_all(budgets, SHORT)
    budgets.close("con_1", SHORT, 0.1)
    time.sleep(0.5)
    assert redis_client.dbsize() == 0


@pytest.fixture
def away():
    return redis.Redis(unix_socket_path="/nowhere/redis", socket_timeout=1)


def test_without_redis_each_process_takes_its_part(away):
    parts = [take_all(Budgets(away, workers=4), Limit("account", 100, 60.0)) for _ in range(4)]
    assert parts == [20] * 4
    assert Budgets(away).left("con_1", MINUTE) is None


def test_without_redis_a_closed_bucket_stays_closed_and_a_window_ends(away):
    budgets = Budgets(away, workers=1)
    budgets.close("con_2", MINUTE, 5.0)
    assert 4 < budgets.take("con_2", [MINUTE]) <= 5
    assert take_all(budgets, SHORT) == 4
    time.sleep(budgets.take("con_1", [SHORT]) + 0.01)
    assert budgets.take("con_1", [SHORT]) == 0


def test_a_closing_is_remembered_when_redis_goes_away_after_it_and_redis_is_used_again_when_it_is_back(valkey):
    client = valkey.client()
    budgets = Budgets(client)
    budgets.close("con_1", MINUTE, 30.0)
    valkey.stop()
    assert budgets.take("con_1", [MINUTE]) > 29
    assert take_all(budgets, Limit("else", 10, 60.0)) == 8
    valkey.start()
    time.sleep(2.1)
    assert budgets.left("con_1", MINUTE) == 8
    client.close()


def test_what_a_process_has_used_still_counts_when_redis_goes_away_in_the_middle_of_a_window(valkey):
    client = valkey.client()
    budgets = [Budgets(client, workers=2) for _ in range(2)]
    limit = Limit("account", 100, 60.0)
    assert sum(budgets[0].take("con_1", [limit]) == 0 for _ in range(60)) == 60
    valkey.stop()
    assert take_all(budgets[0], limit) == 0, "more than its half was its already"
    assert take_all(budgets[1], limit) == 40
    valkey.start()
    client.close()


def test_buckets_of_tickets_long_written_do_not_pile_up_in_a_process(redis_client, monkeypatch):
    monkeypatch.setattr("integrations.transport.own_budget.LONGEST_WINDOW_S", 0.0)
    budgets = Budgets(redis_client)
    for n in range(5000):
        budgets.take("con_1", [Limit(f"ticket:{n}", 30, 600.0, each=True)])
    assert len(budgets._own._calls) < 4100


def test_a_flushed_redis_costs_counts_and_no_errors(redis_client):
    budgets = Budgets(redis_client)
    take_all(budgets, MINUTE)
    redis_client.flushall()
    redis_client.script_flush()
    assert budgets.take("con_1", [MINUTE]) == 0
