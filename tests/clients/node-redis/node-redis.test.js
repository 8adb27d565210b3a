// node-redis: scripts and functions as commands, RESP3, its client side cache, pools, messages.

import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import { createClient, createClientPool, defineScript } from "redis";

const url = process.env.REDIS_URL;
const add = defineScript({
  NUMBER_OF_KEYS: 1,
  SCRIPT: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
  parseCommand(parser, key, n) {
    parser.pushKey(key);
    parser.push(String(n));
  },
  transformReply: (reply) => reply,
});

for (const RESP of [2, 3]) describe(`RESP${RESP}`, () => suite(RESP));

function suite(RESP) {
  const open = [];
  const connect = async (options = {}) => {
    const client = createClient({ url, RESP, ...options });
    client.on("error", () => {});
    open.push(client);
    return client.connect();
  };
  let redis;
  beforeEach(async () => {
    redis ??= await connect({ scripts: { add } });
    await redis.flushAll();
  });
  after(() => open.forEach((client) => client.destroy()));

  test("a script as a command, alone and in MULTI", async () => {
    await redis.scriptFlush();
    assert.equal(await redis.add("n", 5), 5);
    assert.deepEqual(await redis.multi().set("k", "v").add("n", 2).get("k").exec(), ["OK", 7, "v"]);
    assert.deepEqual(await redis.eval("return {KEYS[1], ARGV[1]}", { keys: ["k"], arguments: ["a"] }), ["k", "a"]);
    await assert.rejects(redis.evalSha("0".repeat(40)), /NOSCRIPT/);
  });

  test("functions", async () => {
    await redis.functionFlush();
    await redis.functionLoad("#!lua name=lib\nredis.register_function('hi', function(k, a) return {k[1], a[1]} end)");
    assert.deepEqual(await redis.fCall("hi", { keys: ["k"], arguments: ["a"] }), ["k", "a"]);
    assert.equal((await redis.functionList())[0].library_name, "lib");
    assert.equal((await redis.functionStats()).engines.LUA.functions_count, 1);
    await redis.functionDelete("lib");
  });

  test("types of replies", async () => {
    await redis.hSet("h", { a: "1", b: "2" });
    assert.deepEqual({ ...(await redis.hGetAll("h")) }, { a: "1", b: "2" });
    await redis.zAdd("z", [{ score: 1.5, value: "m" }]);
    assert.deepEqual((await redis.zRangeWithScores("z", 0, -1)).map((e) => [e.value, e.score]), [["m", 1.5]]);
    assert.equal(await redis.zScore("z", "none"), null);
    assert.equal(await redis.sIsMember("s", "x"), 0);
    await redis.geoAdd("g", { longitude: 13.361389, latitude: 38.115556, member: "Palermo" });
    assert.equal((await redis.geoHash("g", "Palermo"))[0], "sqc8b49rny0");
    await redis.xAdd("x", "1-1", { f: "v" });
    const range = await redis.xRange("x", "-", "+");
    assert.deepEqual({ ...range[0].message }, { f: "v" });
  });

  test("watch", async () => {
    const other = await connect();
    await redis.watch("k");
    await other.set("k", "theirs");
    await assert.rejects(redis.multi().set("k", "mine").exec(), /watch/i);
  });

  test("messages", async () => {
    const subscriber = await connect();
    const got = [];
    await subscriber.subscribe("news", (message, channel) => got.push([channel, message]));
    await subscriber.pSubscribe("n*", (message, channel) => got.push(["p", channel, message]));
    await subscriber.sSubscribe("shard", (message, channel) => got.push([channel, message]));
    assert.equal(await redis.publish("news", "a"), 2);
    assert.equal(await redis.sPublish("shard", "b"), 1);
    const deadline = Date.now() + 5000;
    while (got.length < 3 && Date.now() < deadline) await new Promise((go) => setTimeout(go, 5));
    assert.deepEqual(got, [["news", "a"], ["p", "news", "a"], ["shard", "b"]]);
    await subscriber.unsubscribe();
    await subscriber.pUnsubscribe();
    await subscriber.sUnsubscribe();
  });

  test("a pool and blocking commands", async () => {
    const pool = await createClientPool({ url, RESP }, { maximum: 5 }).connect();
    const popped = [1, 2, 3].map((n) => pool.blPop(`q${n}`, 5));
    const other = await connect();
    for (const n of [3, 1, 2]) await other.rPush(`q${n}`, `v${n}`);
    assert.deepEqual((await Promise.all(popped)).map((reply) => reply.element), ["v1", "v2", "v3"]);
    await pool.close();
  });

  test("many at once are pipelined", async () => {
    await Promise.all(Array.from({ length: 5000 }, (_, i) => redis.set(`k${i}`, i)));
    let n = 0;
    for await (const keys of redis.scanIterator({ MATCH: "k*", COUNT: 1000 })) n += keys.length;
    assert.equal(n, 5000);
  });

  if (RESP === 3) {
    test("client side cache", async () => {
      const cached = await connect({ clientSideCache: { ttl: 0, maxEntries: 0, evictPolicy: "LRU" } });
      await redis.set("k", "1");
      assert.equal(await cached.get("k"), "1");
      await redis.eval("redis.call('SET', KEYS[1], '2')", { keys: ["k"], arguments: [] });
      const deadline = Date.now() + 5000;
      while ((await cached.get("k")) !== "2") {
        assert.ok(Date.now() < deadline, "invalidated");
        await new Promise((go) => setTimeout(go, 5)); // a hit would never let the socket be read
      }
    });
  }
}
