"""EVAL, Script objects, functions and the errors that redis-py makes of replies."""

import threading
import time

import pytest
import redis
from conftest import URL


def test_eval_converts_both_ways(r):
    assert r.eval("return {1, 'two', false, {3}}", 0) == [1, "two", None, [3]]
    assert r.eval("return {KEYS[1], ARGV[1]}", 1, "k", 7) == ["k", "7"]
    assert r.eval("return redis.status_reply('FINE')", 0) == "FINE"
    assert r.eval("return 3.99", 0) == 3


def test_script_object_loads_itself(r):
    add = r.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    r.script_flush()
    assert add(keys=["n"], args=[5]) == 5
    assert add(keys=["n"], args=[5]) == 10
    assert r.script_exists(add.sha, "0" * 40) == [True, False]


def test_script_in_a_pipeline(r):
    double = r.register_script("return redis.call('GET', KEYS[1]) * 2")
    r.script_flush()
    pipe = r.pipeline()
    pipe.set("n", 21)
    double(keys=["n"], client=pipe)
    assert pipe.execute() == [True, 42]


def test_errors_of_scripts(r):
    with pytest.raises(redis.exceptions.NoScriptError):
        r.evalsha("f" * 40, 0)
    with pytest.raises(redis.ResponseError, match="Error compiling script"):
        r.eval("return (", 0)
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        r.lpush("l", 1)
        r.eval("return redis.call('GET', 'l')", 0)
    with pytest.raises(redis.ResponseError, match="^MINE own"):
        r.eval("return redis.error_reply('MINE own')", 0)


def test_read_only_scripts(r):
    r.set("k", "v")
    assert r.eval_ro("return redis.call('GET', KEYS[1])", 1, "k") == "v"
    with pytest.raises(redis.ResponseError, match="Write commands are not allowed"):
        r.eval_ro("return redis.call('SET', KEYS[1], 'w')", 1, "k")


def test_functions(r):
    r.function_flush()
    code = """#!lua name=shelf
    redis.register_function('put', function(keys, args)
        return redis.call('HSET', keys[1], unpack(args))
    end)
    redis.register_function{function_name='look', flags={'no-writes'},
        callback=function(keys) return redis.call('HGETALL', keys[1]) end}
    """
    assert r.function_load(code) == "shelf"
    assert r.fcall("put", 1, "h", "a", 1, "b", 2) == 2
    assert r.fcall_ro("look", 1, "h") in (["a", "1", "b", "2"], {"a": "1", "b": "2"})
    dump = redis.Redis.from_url(URL).function_dump()
    with pytest.raises(redis.ResponseError, match="already exists"):
        r.function_load(code)
    r.function_flush()
    assert r.function_list() == []
    assert r.function_restore(dump)
    assert len(r.function_list(library="sh*")) == 1
    r.function_delete("shelf")


def test_resp3_inside_a_script(r):
    reply = r.eval("redis.setresp(3); redis.call('HSET', 'h', 'f', 'v') return redis.call('HGETALL', 'h')", 0)
    assert reply in ({"f": "v"}, ["f", "v"])


def test_a_busy_script_is_killed(r, client):
    r.config_set("busy-reply-threshold", 50)
    failure = []

    def spin():
        try:
            client().eval("while true do end", 0)
        except redis.ResponseError as error:
            failure.append(str(error))

    thread = threading.Thread(target=spin)
    thread.start()
    other = client()
    try:
        deadline = time.time() + 20
        while True:
            try:
                other.get("k")
            except redis.exceptions.ResponseError as error:
                if "BUSY" in str(error):
                    break
            assert time.time() < deadline
            time.sleep(0.01)
    finally:
        assert other.script_kill()
        thread.join(20)
        r.config_set("busy-reply-threshold", 5000)
    assert "Script killed by user" in failure[0]
    assert other.get("k") is None


def test_a_script_that_has_written_cannot_be_killed(r, client):
    r.config_set("busy-reply-threshold", 50)
    script = """
        redis.call('SET', 'written', 1)
        local start = redis.call('TIME')
        for i = 1, 3e6 do redis.call('EXISTS', 'written') end
    """
    thread = threading.Thread(target=lambda: client(socket_timeout=60).eval(script, 0))
    thread.start()
    other = client()
    try:
        deadline = time.time() + 20
        while True:
            try:
                other.script_kill()
            except redis.ResponseError as error:
                if "UNKILLABLE" in str(error):
                    break
                assert "NOTBUSY" in str(error)
            assert time.time() < deadline
            time.sleep(0.01)
    finally:
        thread.join(60)
        r.config_set("busy-reply-threshold", 5000)
    assert other.get("written") == "1"
