// ioredis: defineCommand, pipelines, transactions, messages, autopipelining, blocking, streams.

import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import Redis from "ioredis";

const url = process.env.REDIS_URL;

for (const protocol of [2, 3]) describe(`RESP${protocol}`, () => suite(protocol));

function suite(protocol) {
  const open = [];
  function connect(options = {}) {
    const client = new Redis(url, { protocol, ...options });
    open.push(client);
    return client;
  }
  const redis = connect();

  beforeEach(() => redis.flushall());
  after(() => open.forEach((client) => client.disconnect()));

  test("defineCommand loads a script once and calls it by its digest", async () => {
    const client = connect();
    client.defineCommand("take", {
      numberOfKeys: 1,
      lua: `local left = redis.call('DECRBY', KEYS[1], ARGV[1])
            if left < 0 then return redis.error_reply('STOCK none left') end
            return {left, redis.call('TTL', KEYS[1])}`,
    });
    await client.script("FLUSH");
    await client.set("apples", 5, "EX", 60);
    assert.deepEqual(await client.take("apples", 3), [2, 60]);
    assert.deepEqual(await client.take("apples", 2), [0, 60]);
    await assert.rejects(client.take("apples", 1), /STOCK none left/);
    await client.script("FLUSH");
    await client.set("apples", 5, "EX", 60);
    assert.deepEqual(await client.take("apples", 3), [2, 60]);
  });

  test("a defined command in a pipeline and in a transaction", async () => {
    const client = connect({
      scripts: { echo: { numberOfKeys: 2, lua: "return {KEYS[1], KEYS[2], ARGV[1], ARGV[2]}" } },
    });
    await client.script("FLUSH");
    const replies = await client.pipeline().set("a", 1).echo("k1", "k2", "x", "y").get("a").exec();
    assert.deepEqual(replies, [[null, "OK"], [null, ["k1", "k2", "x", "y"]], [null, "1"]]);
    const transaction = await client.multi().incr("a").echo("k1", "k2", 1, 2).exec();
    assert.deepEqual(transaction, [[null, 2], [null, ["k1", "k2", "1", "2"]]]);
    const buffers = await client.echoBuffer("k1", "k2", Buffer.from([0, 255]), "y");
    assert.deepEqual(buffers[2], Buffer.from([0, 255]));
  });

  test("a key prefix reaches the keys of scripts", async () => {
    const client = connect({ keyPrefix: "app:" });
    client.defineCommand("put", { numberOfKeys: 1, lua: "return redis.call('SET', KEYS[1], ARGV[1])" });
    await client.put("k", "v");
    assert.equal(await redis.get("app:k"), "v");
  });

  test("errors inside pipelines and transactions", async () => {
    await redis.set("text", "x");
    const piped = await redis.pipeline().incr("text").get("text").exec();
    assert.match(piped[0][0].message, /not an integer/);
    assert.deepEqual(piped[1], [null, "x"]);
    await assert.rejects(redis.multi().set("a").exec(), /EXECABORT|wrong number/);
    const failed = await redis.multi().lpush("text", 1).set("b", 2).exec();
    assert.match(failed[0][0].message, /WRONGTYPE/);
    assert.equal(await redis.get("b"), "2");
  });

  test("a watched key that a script writes", async () => {
    const client = connect();
    await client.watch("k");
    await redis.eval("return redis.call('SET', KEYS[1], 'theirs')", 1, "k");
    assert.equal(await client.multi().set("k", "mine").exec(), null);
    assert.equal(await redis.get("k"), "theirs");
  });

  test("autopipelining", async () => {
    const client = connect({ enableAutoPipelining: true });
    client.defineCommand("twice", { numberOfKeys: 0, lua: "return ARGV[1] * 2" });
    const replies = await Promise.all([
      ...Array.from({ length: 500 }, (_, i) => client.set(`k:${i}`, i)),
      ...Array.from({ length: 500 }, (_, i) => client.twice(i)),
      ...Array.from({ length: 500 }, (_, i) => client.get(`k:${i}`)),
    ]);
    assert.equal(replies[499], "OK");
    assert.equal(replies[500 + 21], 42);
    assert.equal(replies[1000 + 77], "77");
  });

  test("messages, also from scripts", async () => {
    const subscriber = connect();
    const got = [];
    const all = new Promise((resolve) => {
      const note = (...entry) => got.push(entry) === 3 && resolve();
      subscriber.on("message", note);
      subscriber.on("pmessage", note);
    });
    assert.equal(await subscriber.subscribe("news", "other"), 2);
    assert.equal(await subscriber.psubscribe("n*"), 3);
    assert.equal(await redis.eval("return redis.call('PUBLISH', KEYS[1], 'hi')", 1, "news"), 2);
    assert.equal(await redis.publish("other", "there"), 1);
    await all;
    assert.deepEqual(got, [["news", "hi"], ["n*", "news", "hi"], ["other", "there"]]);
    if (protocol === 2) await assert.rejects(subscriber.get("k"), /subscriber mode/);
    else assert.equal(await subscriber.get("k"), null);
    await subscriber.unsubscribe("news", "other");
    await subscriber.punsubscribe("n*");
    assert.equal(await subscriber.set("k", "v"), "OK");
  });

  test("blocking commands wake", async () => {
    const waiting = connect();
    const popped = waiting.blpop("none", "queue", 5);
    await redis.eval("redis.call('RPUSH', KEYS[1], 'x')", 1, "queue");
    assert.deepEqual(await popped, ["queue", "x"]);
    assert.equal(await waiting.brpop("none", 0.05), null);
    const read = waiting.xread("BLOCK", 5000, "STREAMS", "s", "$");
    while (!(await redis.client("LIST")).includes("cmd=xread")) await new Promise((go) => setTimeout(go, 5));
    const id = await redis.xadd("s", "*", "f", "v");
    assert.deepEqual(await read, [["s", [[id, ["f", "v"]]]]]);
  });

  test("scan streams", async () => {
    const pipe = redis.pipeline();
    for (let i = 0; i < 1000; i++) pipe.hset("h", `f${i}`, i).sadd("s", i).zadd("z", i, i).set(`k:${i}`, i);
    await pipe.exec();
    const count = async (stream) => {
      const seen = new Set();
      for await (const items of stream) items.forEach((item) => seen.add(item));
      return seen.size;
    };
    assert.equal(await count(redis.scanStream({ match: "k:*", count: 100 })), 1000);
    assert.equal(await count(redis.sscanStream("s")), 1000);
    assert.ok((await count(redis.hscanStream("h"))) >= 1000);
    assert.ok((await count(redis.zscanStream("z"))) >= 1000);
  });

  test("monitor", async () => {
    const monitor = await connect().monitor();
    const lines = [];
    const all = new Promise((resolve) => {
      monitor.on("monitor", (time, args, source) => {
        if (args.includes("seen")) lines.push([args[0].toLowerCase(), source]);
        if (lines.length === 2) resolve();
      });
    });
    await redis.eval("return redis.call('SET', KEYS[1], 1)", 1, "seen");
    await all;
    assert.equal(lines[0][0], "eval");
    assert.deepEqual(lines[1], ["set", "lua"]);
    monitor.disconnect();
  });

  test("the connection comes back after CLIENT KILL", async () => {
    const client = connect();
    const id = await client.client("ID");
    assert.equal(await redis.client("KILL", "ID", id), 1);
    assert.equal(await client.ping(), "PONG");
    assert.notEqual(await client.client("ID"), id);
  });

  test("a lazy connection with name, database and no ready check", async () => {
    const client = connect({ lazyConnect: true, connectionName: "lazy", db: 5, enableReadyCheck: false });
    await client.connect();
    assert.equal(await client.client("GETNAME"), "lazy");
    await client.set("k", "five");
    assert.equal(await redis.get("k"), null);
    assert.equal(await client.quit(), "OK");
  });

  test("binary values and large ones", async () => {
    const blob = Buffer.alloc(1 << 20, Buffer.from([0, 13, 10, 255]));
    await redis.set("b", blob);
    assert.deepEqual(await redis.getBuffer("b"), blob);
    assert.equal(await redis.eval("return #redis.call('GET', KEYS[1])", 1, "b"), blob.length);
    const [dump] = [await redis.dumpBuffer("b")];
    await redis.restore("c", 0, dump);
    assert.equal(await redis.strlen("c"), blob.length);
  });
}
