"""Locks, blocking commands, messages, client side caching."""

import asyncio
import threading
import time

import pytest
import redis
from conftest import URL


def later(seconds, action, *args):
    timer = threading.Timer(seconds, action, args)
    timer.start()
    return timer


def test_lock(r):
    lock = r.lock("l", timeout=10)
    assert lock.acquire()
    assert not r.lock("l", timeout=10).acquire(blocking=False)
    assert lock.extend(5) and lock.reacquire() and lock.owned()
    lock.release()
    with pytest.raises(redis.exceptions.LockError):
        lock.release()


def test_lock_passes_from_thread_to_thread(r, client):
    counter = {"n": 0}

    def work():
        mine = client()
        for _ in range(10):
            with mine.lock("shared", timeout=10, sleep=0.002):
                n = counter["n"]
                time.sleep(0)
                counter["n"] = n + 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter["n"] == 50


def test_lock_is_lost_when_it_expires(r):
    lock = r.lock("l", timeout=0.05)
    assert lock.acquire()
    time.sleep(0.1)
    with pytest.raises(redis.exceptions.LockNotOwnedError):
        lock.release()


def test_blocking_pops(r, client):
    other = client()
    later(0.1, other.rpush, "list", "a", "b")
    assert list(r.blpop(["none", "list"], timeout=5)) == ["list", "a"]
    assert r.brpop("list", timeout=1)[1] == "b"
    assert r.blpop("list", timeout=0.05) is None
    later(0.1, other.eval, "redis.call('ZADD', KEYS[1], 1, 'm')", 1, "z")
    assert list(r.bzpopmin("z", timeout=5))[1] == "m"
    later(0.1, other.lpush, "from", "x")
    assert r.blmove("from", "to", 5, "LEFT", "RIGHT") == "x"
    later(0.1, other.lpush, "from", "y")
    assert r.blmpop(5, 1, "from", direction="LEFT", count=2) == ["from", ["y"]]


def test_the_longest_waiter_is_served_first(r, client):
    served = []

    def wait(name):
        served.append((name, client().blpop("q", timeout=10)[1]))

    threads = []
    for name in "abc":
        threads.append(threading.Thread(target=wait, args=name))
        threads[-1].start()
        time.sleep(0.1)
    for item in (1, 2, 3):
        r.rpush("q", item)
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert served == [("a", "1"), ("b", "2"), ("c", "3")]


def test_client_unblock(r, client):
    waiting = client()
    ident = waiting.client_id()
    later(0.1, r.client_unblock, ident)
    assert waiting.blpop("never", timeout=10) is None
    later(0.1, r.client_unblock, ident, True)
    with pytest.raises(redis.ResponseError, match="UNBLOCKED"):
        waiting.blpop("never", timeout=10)


def test_streams(r, client):
    r.xgroup_create("s", "g", id="$", mkstream=True)
    later(0.1, client().xadd, "s", {"f": 1})
    reply = r.xreadgroup("g", "ada", {"s": ">"}, block=5000)
    entries = reply["s"] if isinstance(reply, dict) else reply[0][1]
    while entries and isinstance(entries[0], list):
        entries = entries[0]
    ident, fields = entries[0]
    assert fields == {"f": "1"}
    assert r.xpending("s", "g")["pending"] == 1
    assert r.xclaim("s", "g", "bob", 0, [ident])[0][0] == ident
    assert r.xautoclaim("s", "g", "eve", 0)[1][0][0] == ident
    assert r.xack("s", "g", ident) == 1
    assert r.xinfo_stream("s")["length"] == 1
    assert r.xinfo_groups("s")[0]["name"] == "g"
    assert r.xlen("s") == 1 and r.xtrim("s", maxlen=0) == 1
    assert not r.xread({"s": "$"}, block=50)


def test_messages(r, client):
    pubsub = r.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe("news")
    pubsub.psubscribe("n*")
    pubsub.get_message(timeout=1), pubsub.get_message(timeout=1)
    other = client()
    assert other.eval("return redis.call('PUBLISH', 'news', ARGV[1])", 0, "hello") == 2
    got = []
    deadline = time.time() + 5
    while len(got) < 2 and time.time() < deadline:
        message = pubsub.get_message(timeout=1)
        if message:
            got.append((message["type"], message["pattern"], message["channel"], message["data"]))
    assert got == [("message", None, "news", "hello"), ("pmessage", "n*", "news", "hello")]
    assert other.pubsub_channels() == ["news"]
    assert other.pubsub_numsub("news") == [("news", 1)]
    assert other.pubsub_numpat() == 1
    pubsub.ping()
    pubsub.unsubscribe()
    pubsub.punsubscribe()
    pubsub.close()
    deadline = time.time() + 5
    while other.publish("news", "x") != 0:
        assert time.time() < deadline
        time.sleep(0.01)


def test_a_thread_that_listens(r):
    got = []
    pubsub = r.pubsub()
    pubsub.subscribe(news=lambda message: got.append(message["data"]))
    thread = pubsub.run_in_thread(sleep_time=0.01)
    deadline = time.time() + 5
    while not r.publish("news", "x"):
        time.sleep(0.01)
    while not got and time.time() < deadline:
        time.sleep(0.01)
    thread.stop()
    thread.join()
    assert got == ["x"]


def test_keyspace_notifications(r, client):
    r.config_set("notify-keyspace-events", "KEA")
    try:
        pubsub = r.pubsub(ignore_subscribe_messages=True)
        pubsub.psubscribe("__keyspace@0__:*")
        pubsub.get_message(timeout=1)
        other = client()
        other.eval("redis.call('SET', 'k', 1) redis.call('PEXPIRE', 'k', 30)", 0)
        seen = []
        deadline = time.time() + 5
        while "expired" not in seen and time.time() < deadline:
            message = pubsub.get_message(timeout=0.2)
            if message:
                seen.append(message["data"])
            other.get("k")
        assert seen == ["set", "expire", "expired"]
        pubsub.close()
    finally:
        r.config_set("notify-keyspace-events", "")


def test_tracking(client):
    heard = []
    mine, other = client(), client()
    listener = client(protocol=2)  # told by a message; RESP3 has a push of its own
    pubsub = listener.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe("__redis__:invalidate")
    pubsub.get_message(timeout=1)
    ident = next(entry["id"] for entry in other.client_list() if entry["sub"] == "1")
    connection = mine.connection_pool.get_connection()
    connection.send_command("CLIENT", "TRACKING", "ON", "REDIRECT", ident)
    assert connection.read_response() == "OK"
    connection.send_command("GET", "k")
    assert connection.read_response() is None
    other.eval("redis.call('SET', KEYS[1], 'v')", 1, "k")
    deadline = time.time() + 5
    while not heard and time.time() < deadline:
        message = pubsub.get_message(timeout=0.2)
        if message:
            heard.append(message["data"])
    assert heard == [["k"]]
    mine.connection_pool.release(connection)
    pubsub.close()


def test_asyncio(r):
    import redis.asyncio as aio

    protocol = r.connection_pool.connection_kwargs["protocol"]

    async def run():
        a = aio.from_url(URL, decode_responses=True, protocol=protocol)
        async with a.pipeline(transaction=True) as pipe:
            assert await pipe.set("n", 1).incr("n").execute() == [True, 2]
        script = a.register_script("return redis.call('INCR', KEYS[1])")
        assert await script(keys=["n"]) == 3
        waits = [asyncio.create_task(a.blpop(f"q{i}", timeout=5)) for i in range(50)]
        await asyncio.sleep(0.1)
        for i in range(50):
            await a.rpush(f"q{i}", i)
        assert [reply[1] for reply in await asyncio.gather(*waits)] == [str(i) for i in range(50)]
        async with a.pubsub() as pubsub:
            await pubsub.subscribe("c")
            await pubsub.get_message(timeout=1)
            await a.publish("c", "m")
            message = None
            while message is None or message["type"] != "message":
                message = await pubsub.get_message(timeout=1)
            assert message["data"] == "m"
        async with a.lock("l", timeout=5):
            assert await a.exists("l") == 1
        await a.aclose()

    asyncio.run(run())
