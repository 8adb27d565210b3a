// rate-limiter-flexible: its Redis limiter is a script, alone and with blocks, queues and bursts.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import Redis from "ioredis";
import { BurstyRateLimiter, RateLimiterQueue, RateLimiterRedis, RateLimiterUnion } from "rate-limiter-flexible";

const storeClient = new Redis(process.env.REDIS_URL, { enableOfflineQueue: false });
await new Promise((ready) => storeClient.once("ready", ready));
let serial = 0;
const limiter = (options) => new RateLimiterRedis({ storeClient, keyPrefix: `l${++serial}`, ...options });

beforeEach(() => storeClient.flushall());
after(() => storeClient.disconnect());

test("points are consumed and refused", async () => {
  const limit = limiter({ points: 3, duration: 5 });
  assert.equal((await limit.consume("ada", 2)).remainingPoints, 1);
  assert.equal((await limit.consume("ada")).remainingPoints, 0);
  const refused = await limit.consume("ada").then(() => null, (res) => res);
  assert.equal(refused.consumedPoints, 4);
  assert.ok(refused.msBeforeNext > 4000 && refused.msBeforeNext <= 5000);
  assert.equal((await limit.consume("bob")).remainingPoints, 2);
  assert.equal((await limit.get("ada")).consumedPoints, 4);
});

test("penalty, reward, block, delete", async () => {
  const limit = limiter({ points: 5, duration: 60, blockDuration: 60 });
  assert.equal((await limit.penalty("k", 3)).consumedPoints, 3);
  assert.equal((await limit.reward("k", 2)).consumedPoints, 1);
  await limit.block("k", 30);
  await assert.rejects(limit.consume("k"), (res) => res.msBeforeNext > 29_000);
  assert.equal(await limit.delete("k"), true);
  await limit.consume("k");
});

test("a window ends", async () => {
  const limit = limiter({ points: 1, duration: 1 });
  await limit.consume("k");
  await assert.rejects(limit.consume("k"), { remainingPoints: 0 });
  await new Promise((go) => setTimeout(go, 1050));
  await limit.consume("k");
});

test("many at once get exactly the points there are", async () => {
  const limit = limiter({ points: 100, duration: 60 });
  const results = await Promise.allSettled(Array.from({ length: 250 }, () => limit.consume("k")));
  assert.equal(results.filter((result) => result.status === "fulfilled").length, 100);
});

test("unions, bursts and queues", async () => {
  const union = new RateLimiterUnion(limiter({ points: 1, duration: 60 }), limiter({ points: 5, duration: 60 }));
  await union.consume("k");
  await assert.rejects(union.consume("k"));
  const bursty = new BurstyRateLimiter(limiter({ points: 1, duration: 60 }), limiter({ points: 2, duration: 60 }));
  for (let i = 0; i < 3; i++) await bursty.consume("k");
  await assert.rejects(bursty.consume("k"));
  const queue = new RateLimiterQueue(limiter({ points: 2, duration: 1 }));
  const started = Date.now();
  for (let i = 0; i < 3; i++) await queue.removeTokens(1, "k");
  assert.ok(Date.now() - started >= 500);
});
