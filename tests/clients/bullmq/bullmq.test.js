// BullMQ: nearly everything it does is a Lua script of its own.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { FlowProducer, Job, Queue, QueueEvents, RateLimitError, UnrecoverableError, Worker } from "bullmq";
import Redis from "ioredis";

const redis = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null });
const { hostname, port } = new URL(process.env.REDIS_URL);
const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
const open = [];
let serial = 0;
const kept = (thing) => (open.push(thing), thing);
const queue = (options = {}) => kept(new Queue(`q${++serial}`, { connection, ...options }));
const worker = (queue, work, options = {}) => {
  const made = kept(new Worker(queue.name, work, { connection, drainDelay: 1, ...options }));
  made.on("error", (error) => console.error(error));
  return made;
};
const events = async (queue) => {
  const made = kept(new QueueEvents(queue.name, { connection }));
  await made.waitUntilReady();
  return made;
};
const sleep = (ms) => new Promise((go) => setTimeout(go, ms));
async function until(condition, what) {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, what);
    await sleep(10);
  }
}

beforeEach(() => redis.flushall());
after(async () => {
  await Promise.all(open.map((thing) => thing.close()));
  redis.disconnect();
});

test("jobs are worked on and give results", async () => {
  const q = queue();
  const heard = await events(q);
  worker(q, async (job) => job.data.n * 2);
  const jobs = await q.addBulk([1, 2, 3].map((n) => ({ name: "double", data: { n } })));
  assert.deepEqual(await Promise.all(jobs.map((job) => job.waitUntilFinished(heard, 20_000))), [2, 4, 6]);
  assert.deepEqual(await q.getJobCounts("completed", "failed", "waiting"), { completed: 3, failed: 0, waiting: 0 });
});

test("delayed jobs wait their time", async () => {
  const q = queue();
  const heard = await events(q);
  worker(q, async () => Date.now());
  const added = Date.now();
  const job = await q.add("later", {}, { delay: 300 });
  assert.equal(await job.getState(), "delayed");
  const done = await job.waitUntilFinished(heard, 20_000);
  assert.ok(done - added >= 299, `${done - added} ms`);
  const moved = await q.add("moved", {}, { delay: 3_600_000 });
  await moved.promote();
  await moved.waitUntilFinished(heard, 20_000);
});

test("priorities and LIFO decide the order", async () => {
  const q = queue();
  await q.add("c", {}, { priority: 10 });
  await q.add("b", {}, { priority: 2 });
  await q.add("d", {}, { priority: 10 });
  await q.add("a", {});
  await q.add("first", {}, { lifo: true });
  assert.deepEqual(await q.getCountsPerPriority([0, 2, 10]), { 0: 2, 2: 1, 10: 2 });
  const order = [];
  worker(q, async (job) => order.push(job.name));
  await until(() => order.length === 5, "all jobs");
  assert.deepEqual(order, ["first", "a", "b", "c", "d"]);
});

test("a rate limit holds", async () => {
  const q = queue();
  const times = [];
  worker(q, async () => times.push(Date.now()), { limiter: { max: 2, duration: 200 } });
  await q.addBulk(Array.from({ length: 6 }, () => ({ name: "x", data: {} })));
  await until(() => times.length === 6, "all jobs");
  assert.ok(times[5] - times[0] >= 380, `${times[5] - times[0]} ms`);
});

test("a worker limits itself", async () => {
  const q = queue();
  let tries = 0;
  const w = worker(
    q,
    async () => {
      if (++tries === 1) {
        await w.rateLimit(150);
        throw new RateLimitError();
      }
      return Date.now();
    },
    { limiter: { max: 1, duration: 500 } },
  );
  const started = Date.now();
  const job = await q.add("x", {});
  const done = await job.waitUntilFinished(await events(q), 20_000);
  assert.ok(done - started >= 140);
  assert.equal(tries, 2);
});

test("retries with backoff, and giving up", async () => {
  const q = queue();
  const heard = await events(q);
  worker(q, async (job) => {
    if (job.name === "never") throw new UnrecoverableError("no use");
    if (job.attemptsMade < 2) throw new Error("not yet");
    return "at last";
  });
  const job = await q.add("third", {}, { attempts: 3, backoff: { type: "exponential", delay: 20 } });
  assert.equal(await job.waitUntilFinished(heard, 20_000), "at last");
  const never = await q.add("never", {}, { attempts: 5 });
  await assert.rejects(never.waitUntilFinished(heard, 20_000), /no use/);
  const failed = await Job.fromId(q, never.id);
  assert.equal(failed.attemptsMade, 1);
  assert.equal((await q.getFailed()).length, 1);
  await failed.retry();
  await assert.rejects(failed.waitUntilFinished(heard, 20_000), /no use/);
});

test("flows: a parent waits for its children", async () => {
  const q = queue();
  const flow = kept(new FlowProducer({ connection }));
  const seen = [];
  worker(q, async (job) => {
    seen.push(job.name);
    if (job.name !== "sum") return job.data.n;
    return Object.values(await job.getChildrenValues()).reduce((a, b) => a + b);
  });
  const tree = await flow.add({
    name: "sum",
    queueName: q.name,
    children: [
      { name: "one", queueName: q.name, data: { n: 1 } },
      { name: "sum", queueName: q.name, children: [2, 3].map((n) => ({ name: "leaf", queueName: q.name, data: { n } })) },
    ],
  });
  assert.equal(await tree.job.waitUntilFinished(await events(q), 20_000), 6);
  assert.equal(seen.at(-1), "sum");
  assert.equal((await tree.job.getDependenciesCount()).processed, 2);
});

test("a failed child fails its parent", async () => {
  const q = queue();
  const flow = kept(new FlowProducer({ connection }));
  worker(q, async (job) => {
    if (job.name === "bad") throw new Error("broken");
  });
  const tree = await flow.add({
    name: "parent",
    queueName: q.name,
    children: [{ name: "bad", queueName: q.name, opts: { failParentOnFailure: true } }],
  });
  await until(async () => (await tree.job.getState()) === "failed", "the parent fails");
});

test("job schedulers repeat", async () => {
  const q = queue();
  const times = [];
  await q.upsertJobScheduler("tick", { every: 100 }, { name: "tick", data: { a: 1 } });
  worker(q, async (job) => times.push([Date.now(), job.data.a]));
  await until(() => times.length >= 4, "four ticks");
  assert.equal(times[0][1], 1);
  assert.ok(times[3][0] - times[1][0] >= 150);
  assert.equal((await q.getJobSchedulers())[0].key, "tick");
  assert.equal(await q.removeJobScheduler("tick"), true);
  await q.upsertJobScheduler("nightly", { pattern: "0 3 * * *" });
  assert.equal((await q.getDelayedCount()), 1);
});

test("a stalled job is taken over", async () => {
  const q = queue();
  let began = 0;
  const stuck = new Worker(
    q.name,
    async () => {
      began++;
      await new Promise(() => {}); // never
    },
    { connection, lockDuration: 200, skipLockRenewal: true, skipStalledCheck: true },
  );
  stuck.on("error", () => {});
  const job = await q.add("x", {});
  await until(() => began === 1, "the first worker takes it");
  worker(q, async () => "rescued", { stalledInterval: 200, lockDuration: 1000 });
  assert.equal(await job.waitUntilFinished(await events(q), 20_000), "rescued");
  await stuck.close(true);
});

test("deduplication, progress, logs and updates", async () => {
  const q = queue();
  const heard = await events(q);
  const progress = [];
  heard.on("progress", ({ data }) => progress.push(data));
  const first = await q.add("x", {}, { deduplication: { id: "same", ttl: 60_000 } });
  const second = await q.add("x", {}, { deduplication: { id: "same", ttl: 60_000 } });
  assert.equal(second.id, first.id);
  worker(q, async (job) => {
    await job.updateProgress(50);
    await job.updateProgress({ part: "last" });
    await job.log("a line");
    await job.updateData({ changed: true });
  });
  await first.waitUntilFinished(heard, 20_000);
  await until(() => progress.length === 2, "progress events");
  assert.deepEqual(progress, [50, { part: "last" }]);
  assert.deepEqual((await q.getJobLogs(first.id)).logs, ["a line"]);
  assert.deepEqual((await Job.fromId(q, first.id)).data, { changed: true });
});

test("pause, drain, clean, obliterate", async () => {
  const q = queue();
  await q.pause();
  const done = [];
  worker(q, async (job) => done.push(job.name));
  await q.addBulk(Array.from({ length: 5 }, (_, i) => ({ name: `j${i}`, data: {} })));
  await sleep(100);
  assert.deepEqual(done, []);
  assert.equal(await q.isPaused(), true);
  await q.resume();
  await until(() => done.length === 5, "resumed");
  await until(async () => (await q.getCompletedCount()) === 5, "completed");
  assert.equal((await q.clean(0, 3, "completed")).length, 3);
  await q.pause();
  await q.add("left", {});
  await q.drain();
  assert.equal(await q.count(), 0);
  await q.obliterate({ force: true });
  assert.deepEqual(await redis.keys(`bull:${q.name}:*`), []);
});

test("a thousand jobs with concurrency", async () => {
  const q = queue({ defaultJobOptions: { removeOnComplete: true } });
  let done = 0;
  worker(q, async () => void done++, { concurrency: 50 });
  await q.addBulk(Array.from({ length: 1000 }, (_, i) => ({ name: "x", data: { i } })));
  await until(() => done === 1000, "all done");
  await until(async () => (await q.getActiveCount()) === 0, "none active");
  assert.equal(await q.getCompletedCount(), 0);
});

test("metrics and global concurrency", async () => {
  const q = queue();
  await q.setGlobalConcurrency(1);
  let active = 0, most = 0, done = 0;
  const work = async () => {
    most = Math.max(most, ++active);
    await sleep(10);
    active--;
    done++;
  };
  worker(q, work, { concurrency: 5, metrics: { maxDataPoints: 10 } });
  worker(q, work, { concurrency: 5, metrics: { maxDataPoints: 10 } });
  await q.addBulk(Array.from({ length: 10 }, () => ({ name: "x", data: {} })));
  await until(() => done === 10, "all done");
  assert.equal(most, 1);
  await until(async () => (await q.getMetrics("completed")).meta.count === 10, "metrics");
});
