"""huey: its Redis stores, among them the one whose priorities and schedule are scripts."""

import os
import time

import pytest
import redis
from huey import PriorityRedisExpireHuey, PriorityRedisHuey, RedisExpireHuey, RedisHuey, crontab
from huey.exceptions import TaskException, TaskLockedException

URL = os.environ["REDIS_URL"]


PRIORITIES = [PriorityRedisHuey, PriorityRedisExpireHuey]


@pytest.fixture(params=[RedisHuey, RedisExpireHuey, *PRIORITIES])
def huey(request):
    redis.from_url(URL).flushall()
    made = request.param("tests", url=URL, blocking=True, read_timeout=1)
    yield made
    made.storage.conn.close()


def run(huey):
    while (task := huey.dequeue()) is not None:
        huey.execute(task)


def test_results(huey):
    @huey.task()
    def double(n):
        return n * 2

    results = [double(n) for n in range(5)]
    assert huey.pending_count() == 5
    for _ in results:
        huey.execute(huey.dequeue())
    assert [result.get(blocking=True, timeout=5) for result in results] == [0, 2, 4, 6, 8]


def test_failure_and_retry(huey):
    tries = []

    @huey.task(retries=2)
    def fail():
        tries.append(1)
        raise ValueError("no")

    result = fail()
    for _ in range(3):
        huey.execute(huey.dequeue())
    assert len(tries) == 3
    with pytest.raises(TaskException):
        result.get()


def test_schedule(huey):
    @huey.task()
    def late():
        return "done"

    result = late.schedule(delay=0.2)
    huey.execute(huey.dequeue())
    assert huey.scheduled_count() == 1
    assert huey.read_schedule() == []
    time.sleep(0.25)
    due = huey.read_schedule()
    assert len(due) == 1 and huey.scheduled_count() == 0
    huey.execute(due[0])
    assert result.get() == "done"


def test_locks(huey):
    with huey.lock_task("one"):
        with pytest.raises(TaskLockedException):
            with huey.lock_task("one"):
                pass
    with huey.lock_task("one"):
        pass


def test_revoke_and_store(huey):
    @huey.task()
    def ghost():
        return "seen"

    result = ghost()
    result.revoke()
    huey.execute(huey.dequeue())
    assert result.get() is None
    huey.put("key", "value")
    assert huey.get("key") == "value"
    assert huey.storage.put_if_empty("x", b"1") and not huey.storage.put_if_empty("x", b"2")


@pytest.mark.parametrize("huey", PRIORITIES, indirect=True)
def test_priorities(huey):
    order = []

    @huey.task()
    def note(name):
        order.append(name)

    note("low", priority=1)
    note("high", priority=50)
    note("middle", priority=10)
    for _ in range(3):
        huey.execute(huey.dequeue())
    assert order == ["high", "middle", "low"]


def test_a_consumer(huey):
    @huey.task()
    def add(a, b):
        return a + b

    @huey.periodic_task(crontab(minute="*"))
    def tick():
        pass

    consumer = huey.create_consumer(workers=2, initial_delay=0.01)
    consumer.start()
    try:
        assert [add(n, 1).get(blocking=True, timeout=10) for n in range(5)] == [1, 2, 3, 4, 5]
    finally:
        consumer.stop(graceful=True)
