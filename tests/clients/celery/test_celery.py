"""celery with Redis as broker and as result store: messages on lists, results by messages."""

import os

import pytest
import redis
from celery import Celery, chain, chord, group
from celery.contrib.testing.worker import start_worker
from urllib.parse import urlsplit

URL = urlsplit(os.environ["REDIS_URL"])._replace(path="/0").geturl()
app = Celery("tests", broker=URL, backend=URL)
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_acks_late=True,
    broker_transport_options={"visibility_timeout": 60, "priority_steps": [0, 5, 9]},
)
order = []


@app.task
def add(x, y):
    return x + y


@app.task
def total(numbers):
    return sum(numbers)


@app.task
def note(name):
    order.append(name)


@app.task(bind=True, max_retries=3, default_retry_delay=0.05)
def stubborn(self):
    if self.request.retries < 2:
        raise self.retry()
    return self.request.retries


@app.task
def broken():
    raise KeyError("gone")


@pytest.fixture(scope="module", autouse=True)
def worker():
    redis.from_url(URL).flushall()
    with start_worker(app, perform_ping_check=False, concurrency=2, pool="threads", shutdown_timeout=30) as running:
        yield running


def test_a_task():
    assert add.delay(2, 3).get(timeout=20) == 5


def test_many():
    results = [add.delay(n, n) for n in range(50)]
    assert [result.get(timeout=30) for result in results] == [n * 2 for n in range(50)]


def test_chain_group_chord():
    assert chain(add.s(1, 2), add.s(10))().get(timeout=20) == 13
    assert group(add.s(n, 1) for n in range(5))().get(timeout=20) == [1, 2, 3, 4, 5]
    assert chord((add.s(n, 1) for n in range(5)), total.s())().get(timeout=20) == 15


def test_retries():
    assert stubborn.delay().get(timeout=20) == 2


def test_failure():
    result = broken.delay()
    with pytest.raises(KeyError):
        result.get(timeout=20)
    assert result.status == "FAILURE"
    result.forget()


def test_countdown():
    assert add.apply_async((1, 1), countdown=0.3).get(timeout=20) == 2


def test_control():
    replies = app.control.ping(timeout=2)
    assert len(replies) == 1 and list(replies[0].values()) == [{"ok": "pong"}]
