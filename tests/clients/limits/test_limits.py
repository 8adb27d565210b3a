"""limits: each of its strategies over Redis is a few scripts."""

import os
import time

import pytest
import redis
from limits import parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

URL = os.environ["REDIS_URL"]


@pytest.fixture(params=[FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter])
def limiter(request):
    redis.from_url(URL).flushall()
    return request.param(storage_from_string(URL))


def test_hits_until_the_limit(limiter):
    limit = parse("5/minute")
    if time.time() % 60 > 58:  # a window that ends in between would count anew
        time.sleep(2.1)
    assert [limiter.hit(limit, "ada") for _ in range(7)] == [True] * 5 + [False] * 2
    assert limiter.test(limit, "bob") and not limiter.test(limit, "ada")
    stats = limiter.get_window_stats(limit, "ada")
    assert stats.remaining == 0 and stats.reset_time > time.time()
    limiter.clear(limit, "ada")
    assert limiter.hit(limit, "ada")


def test_cost(limiter):
    limit = parse("10/hour")
    assert limiter.hit(limit, "k", cost=9)
    assert not limiter.hit(limit, "k", cost=2)
    # The fixed window counts what it refuses, too.
    assert limiter.hit(limit, "k", cost=1) != isinstance(limiter, FixedWindowRateLimiter)


def test_a_window_passes(limiter):
    limit = parse("2/second")
    for _ in range(4):
        limiter.hit(limit, "k")
    time.sleep(2.1)
    assert limiter.hit(limit, "k")


def test_reset(limiter):
    limit = parse("5/day")
    for n in range(4):
        limiter.hit(limit, f"k{n}")
    assert limiter.storage.reset() >= 4
    assert redis.from_url(URL).dbsize() == 0
