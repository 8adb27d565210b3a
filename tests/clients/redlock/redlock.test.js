// redlock: the lock algorithm over ioredis, by three scripts.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { createRequire } from "node:module";
import Redis from "ioredis";

// Its ES module declares no types that node resolves; the CommonJS one is complete.
const Redlock = createRequire(import.meta.url)("redlock").default;
const redis = new Redis(process.env.REDIS_URL);
const redlock = new Redlock([redis], { retryCount: 3, retryDelay: 20, retryJitter: 5, automaticExtensionThreshold: 50 });
redlock.on("error", () => {});

beforeEach(() => redis.flushall());
after(() => redis.disconnect());

test("acquire, extend, release", async () => {
  let lock = await redlock.acquire(["a", "b"], 1000);
  assert.equal(await redis.get("a"), lock.value);
  lock = await lock.extend(5000);
  assert.ok((await redis.pttl("b")) > 1000);
  await lock.release();
  assert.equal(await redis.exists("a", "b"), 0);
});

test("a held resource is refused", async () => {
  const lock = await redlock.acquire(["r"], 5000);
  await assert.rejects(redlock.acquire(["r"], 5000), { name: "ExecutionError" });
  await lock.release();
  await (await redlock.acquire(["r"], 5000)).release();
});

test("a lock that ran out cannot be extended", async () => {
  const lock = await redlock.acquire(["r"], 100);
  await redis.del("r");
  await assert.rejects(lock.extend(1000));
});

test("using() extends by itself", async () => {
  await redlock.using(["r"], 150, async (signal) => {
    await new Promise((go) => setTimeout(go, 500));
    assert.equal(signal.aborted, false);
    assert.equal(await redis.exists("r"), 1);
  });
  assert.equal(await redis.exists("r"), 0);
});

test("one at a time", async () => {
  const patient = new Redlock([redis], { retryCount: -1, retryDelay: 5, retryJitter: 5 });
  let inside = 0, done = 0;
  await Promise.all(Array.from({ length: 10 }, () => patient.using(["r"], 5000, async () => {
    assert.equal(++inside, 1);
    await new Promise((go) => setTimeout(go, 3));
    inside--;
    done++;
  })));
  assert.equal(done, 10);
});
