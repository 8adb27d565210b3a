"""A client for each protocol and parser; every test begins with an empty server."""

import os
import threading
from urllib.parse import urlsplit

import pytest
import redis

# Without a database: in a URL it would win over the option `db`.
URL = urlsplit(os.environ["REDIS_URL"])._replace(path="").geturl()


def connect(**options):
    return redis.from_url(URL, **{"decode_responses": True, "protocol": 2, **options})


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def r(request):
    client = connect(protocol=request.param)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def client(r):
    """Makes further connections that speak the protocol of `r`."""
    protocol = r.connection_pool.connection_kwargs["protocol"]
    made = []

    def make(**options):
        made.append(connect(**{"protocol": protocol, **options}))
        return made[-1]

    yield make
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join()
    for other in made:
        other.close()
