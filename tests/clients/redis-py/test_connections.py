"""What a connection keeps: pipelines, transactions, names, databases, HELLO, scans."""

import threading
import time

import pytest
import redis


def test_pipeline_and_its_errors(r):
    pipe = r.pipeline(transaction=False)
    pipe.set("a", 1).incr("a").lpush("a", 1).get("a")
    replies = pipe.execute(raise_on_error=False)
    assert replies[0] is True and replies[1] == 2 and replies[3] == "2"
    assert isinstance(replies[2], redis.ResponseError)


def test_a_long_pipeline(r):
    pipe = r.pipeline(transaction=False)
    for i in range(10_000):
        pipe.set(f"k:{i}", i)
    assert all(pipe.execute())
    assert r.dbsize() == 10_000
    assert sorted(r.scan_iter(match="k:12*", count=500), key=len)[0] == "k:12"
    assert len(list(r.scan_iter(match="k:*", count=1000))) == 10_000


def test_transaction(r):
    with r.pipeline() as pipe:
        assert pipe.set("a", 1).incr("a").execute() == [True, 2]
    with r.pipeline() as pipe:
        pipe.set("a", 1)
        pipe.execute_command("NOSUCH")
        with pytest.raises(redis.ResponseError, match="unknown command"):
            pipe.execute()
    assert r.get("a") == "2"


def test_watch(r, client):
    other = client()
    r.set("n", 1)
    with r.pipeline() as pipe:
        pipe.watch("n")
        n = int(pipe.get("n"))
        other.eval("redis.call('INCR', KEYS[1])", 1, "n")  # a script's write counts
        pipe.multi()
        pipe.set("n", n + 10)
        with pytest.raises(redis.WatchError):
            pipe.execute()
    assert r.transaction(lambda pipe: (pipe.multi(), pipe.incr("n")), "n") == [3]


def test_names_and_lists_of_clients(r, client):
    other = client(client_name="other")
    assert other.client_getname() == "other"
    ids = {entry["id"] for entry in r.client_list()}
    assert {str(r.client_id()), str(other.client_id())} <= ids
    assert other.client_info()["name"] == "other"
    r.client_kill_filter(_id=other.client_id())
    assert other.ping()  # redis-py connects again


def test_databases(r, client):
    three = client(db=3)
    three.set("k", "in three")
    assert r.get("k") is None
    r.move("none", 3)
    assert three.move("k", 0)
    assert r.get("k") == "in three"
    r.swapdb(0, 3)
    assert three.get("k") == "in three"


def test_hello_and_info(r):
    info = r.info()
    assert info["redis_version"].startswith("7.0")
    assert info["role"] == "master"
    r.set("k", 1)
    assert r.info("keyspace")["db0"]["keys"] == 1
    assert r.config_get("maxmemory*")["maxmemory-policy"] == "noeviction"
    assert r.command_count() > 200
    assert r.command_getkeys("MSET", "a", 1, "b", 2) == ["a", "b"]
    assert isinstance(r.time()[0], int)
    assert r.echo("hi") == "hi"
    assert r.lastsave() is not None


def test_users(r, client):
    r.acl_setuser("ada", enabled=True, passwords=["+secret"], keys=["a:*"], commands=["+get", "+set", "+eval"])
    try:
        ada = client(username="ada", password="secret")
        assert ada.set("a:1", "x") and ada.get("a:1") == "x"
        with pytest.raises(redis.exceptions.NoPermissionError):
            ada.get("b:1")
        with pytest.raises(redis.ResponseError, match="ACL failure in script|can't access|No permissions"):
            ada.eval("return redis.call('GET', 'b:1')", 0)
        with pytest.raises(redis.exceptions.AuthenticationError):
            client(username="ada", password="wrong").ping()
    finally:
        r.acl_deluser("ada")


def test_scans(r):
    r.sadd("s", *range(1000))
    assert len(set(r.sscan_iter("s"))) == 1000
    r.hset("h", mapping={f"f{i}": i for i in range(1000)})
    assert dict(r.hscan_iter("h"))["f7"] == "7"
    r.zadd("z", {f"m{i}": i for i in range(1000)})
    assert dict(r.zscan_iter("z", match="m99*"))["m99"] == 99.0
    assert list(r.scan_iter(_type="zset")) == ["z"]


def test_expiry(r):
    r.set("k", "v", px=80)
    assert 0 < r.pttl("k") <= 80
    time.sleep(0.12)
    assert r.get("k") is None
    r.set("k", "v")
    assert r.expire("k", 100, nx=True) and not r.expire("k", 10, gt=True)
    assert r.getex("k", persist=True) == "v" and r.ttl("k") == -1


def test_dump_and_restore(r, client):
    raw = client(decode_responses=False)
    for fill in (
        lambda: r.rpush("x", *range(300)),
        lambda: r.hset("x", mapping={"a": 1, "b": "long" * 40}),
        lambda: r.zadd("x", {"a": 1.5, "b": -2}),
        lambda: r.sadd("x", 1, 2, 3),
        lambda: r.xadd("x", {"f": "v"}, id="1-1"),
        lambda: r.set("x", "text" * 100),
    ):
        r.delete("x", "y")
        fill()
        raw.restore("y", 0, raw.dump("x"))
        assert r.type("x") == r.type("y")
        assert raw.dump("x") == raw.dump("y")


def test_many_threads(r, client):
    shared = client()

    def work():
        for _ in range(200):
            shared.incr("n")

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert r.get("n") == "3200"


def test_monitor(r, client):
    with r.monitor() as monitor:
        client().eval("return redis.call('SET', KEYS[1], 'v')", 1, "seen")
        lines = []
        while len(lines) < 2:
            entry = monitor.next_command()
            if "seen" in entry["command"]:
                lines.append(entry)
    assert lines[0]["command"].startswith("EVAL")
    assert lines[1]["client_type"] == "lua"


def test_binary_safety(client):
    raw = client(decode_responses=False)
    blob = bytes(range(256)) * 300
    raw.set(blob, blob)
    assert raw.get(blob) == blob
    assert raw.eval("return redis.call('GET', KEYS[1]) .. ARGV[1]", 1, blob, b"\r\n\0") == blob + b"\r\n\0"
