"""rq: queues, workers, dependencies, retries, schedules, on transactions and a few scripts."""

import datetime
import os
import time

import jobs
import pytest
import redis
from rq import Queue, Retry, SimpleWorker
from rq.job import Job, JobStatus
from rq.registry import DeferredJobRegistry, FailedJobRegistry, ScheduledJobRegistry


@pytest.fixture
def r():
    client = redis.from_url(os.environ["REDIS_URL"])
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def queue(r):
    return Queue("work", connection=r)


def work(r, **options):
    return SimpleWorker(["work"], connection=r).work(burst=True, **options)


def test_a_job_runs(r, queue):
    job = queue.enqueue(jobs.double, 21)
    assert queue.count == 1 and job.get_status() == JobStatus.QUEUED
    assert work(r)
    assert job.return_value() == 42
    assert job.get_status(refresh=True) == JobStatus.FINISHED
    assert queue.finished_job_registry.count == 1


def test_failure_and_requeue(r, queue):
    job = queue.enqueue(jobs.fail)
    work(r)
    assert job.get_status(refresh=True) == JobStatus.FAILED
    assert "on purpose" in job.latest_result().exc_string
    registry = FailedJobRegistry(queue=queue)
    assert job.id in registry
    registry.requeue(job)
    assert queue.count == 1 and job.id not in registry


def test_retries(r, queue):
    job = queue.enqueue(jobs.fail, retry=Retry(max=2))
    work(r)
    assert Job.fetch(job.id, connection=r).retries_left == 0


def test_dependencies(r, queue):
    first = queue.enqueue(jobs.double, 1)
    second = queue.enqueue(jobs.double, 2, depends_on=first)
    assert second.id in DeferredJobRegistry(queue=queue)
    work(r)
    assert second.get_status(refresh=True) == JobStatus.FINISHED


def test_order(r, queue):
    for n in range(3):
        queue.enqueue(jobs.double, n, job_id=f"j{n}")
    queue.enqueue(jobs.double, 9, job_id="front", at_front=True)
    assert queue.job_ids == ["front", "j0", "j1", "j2"]
    assert queue.get_job_position("j1") == 2
    queue.remove("j1")
    assert queue.empty() and queue.count == 0


def test_schedule(r, queue):
    job = queue.enqueue_in(datetime.timedelta(seconds=1), jobs.double, 4)
    assert job.id in ScheduledJobRegistry(queue=queue)
    deadline = time.time() + 20
    while job.get_status(refresh=True) != JobStatus.FINISHED:
        work(r, with_scheduler=True)
        assert time.time() < deadline
        time.sleep(0.1)
    assert job.return_value(refresh=True) == 8


def test_many(r, queue):
    with r.pipeline() as pipe:
        made = queue.enqueue_many([Queue.prepare_data(jobs.double, (n,)) for n in range(100)], pipeline=pipe)
        pipe.execute()
    work(r)
    assert [job.return_value() for job in made] == [n * 2 for n in range(100)]
