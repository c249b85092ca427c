import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Backbone, startBackbone } from '@branchline/local/backbone.ts';
import { siteNames } from '@branchline/local/branches.ts';
import type { Service } from '@branchline/local/service.ts';
import { type Stack, startStack } from '@branchline/local/stack.ts';
import { readFound } from '@branchline/simulators/online-retail/found.ts';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../world/until.ts';
import { askWitness, placeWitness } from './books-witness.ts';
import { ask, booksOf, openTills, soldBy } from './sold-and-booked.ts';

/**
 * A hub that is paused in the middle of a slice, on a real PostgreSQL and Kafka. A table lock stops the slice at a known
 * point: its events are in the journal and not yet in the totals.
 */

let folder: string;
let backbone: Backbone;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'branchline-paused-'));
  backbone = await startBackbone({ dataDir: join(folder, 'data'), logDir: join(folder, 'logs') });
});
afterAll(async () => {
  await backbone?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Longer than the pause: the paused hub stays in its group, and only the fence can stop it. */
const sessionMs = 60_000;

type Hub = { name: string; service: Service };
type Blocked = { name: string; pid: number; blockers: number[] };

/** Sessions of hubs that wait for a lock. */
const blockedSessions = (stack: Stack) =>
  ask<Blocked>(
    stack,
    `select application_name as name, pid, pg_blocking_pids(pid) as blockers from pg_stat_activity
     where application_name like 'hub-%' and cardinality(pg_blocking_pids(pid)) > 0`,
  );

/** `undefined` once PostgreSQL has ended the session. */
const stateOf = async (stack: Stack, pid: number): Promise<string | undefined> =>
  (await ask<{ state: string }>(stack, `select state from pg_stat_activity where pid = ${pid}`))[0]?.state;

const untilBooked = (stack: Stack, count: number): Promise<void> =>
  until(`${count} events are in the books`, async () => (await booksOf(stack)).ids.length === count, {
    everyMs: 200,
  });

/** Sells while nothing can be added to the totals, until one hub is in the middle of a slice and the other waits for it. */
const pauseInSlice = async (stack: Stack, hubs: readonly Hub[], sell: () => Promise<void>) => {
  const holder = new pg.Client({ connectionString: stack.postgres.ownerUrl });
  await holder.connect();
  await holder.query('begin; lock table sales_window in exclusive mode');
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
  const holderPid = rows[0]?.pid as number;
  await sell();
  let inSlice: Blocked | undefined;
  await until('one hub is in the middle of a slice, and the other waits for its position', async () => {
    const blocked = await blockedSessions(stack);
    inSlice = blocked.find(({ blockers }) => blockers.includes(holderPid));
    return blocked.some(
      ({ name, blockers }) =>
        inSlice !== undefined && name !== inSlice.name && blockers.includes(inSlice.pid),
    );
  });
  const { name, pid } = inSlice as Blocked;
  const [paused, other] = [hubs.find((hub) => hub.name === name), hubs.find((hub) => hub.name !== name)];
  if (paused === undefined || other === undefined) throw new Error(`${name} is not one of the hubs`);
  const before = (await paused.service.status()) ?? {};
  paused.service.component.kill('SIGSTOP');
  await holder.end();
  return { pid, paused, other, before };
};

/** Slices that the hub has tried to apply. */
const attemptsOf = ({ fenced, slices }: Record<string, unknown>): number => Number(fenced) + Number(slices);

/** Resolves with the hub's status after it has tried its slice again. */
const resume = async ({ service }: Hub, before: Record<string, unknown>) => {
  service.component.kill('SIGCONT');
  let now: Record<string, unknown> = before;
  await until('the resumed hub has tried its slice again', async () => {
    now = (await service.status()) ?? before;
    return attemptsOf(now) > attemptsOf(before);
  });
  return now;
};

const pausedHub = async (without: 'nothing' | 'fence') => {
  const key = `paused_${without}`;
  const env = { BRANCHLINE_WITHOUT: without, BRANCHLINE_SESSION_MS: String(sessionMs) };
  const topicPrefix = key.replace('_', '-');
  const stack = await startStack({
    dataDir: join(folder, key),
    logDir: join(folder, key, 'logs'),
    sites: siteNames(1, 0),
    backbone,
    database: key,
    topicPrefix,
    partitions: 1,
    hubScript: 'testing/faults/mutant-hub.ts',
    hubEnv: env,
  });
  try {
    await placeWitness(stack);
    const second = await stack.addHub('hub-1', { ...env, BRANCHLINE_GROUP: `${topicPrefix}-rival` });
    await second.component.start();
    const tills = openTills(stack, Date.parse('2026-11-20T16:00:00Z'));
    await tills.sell(50);
    await untilBooked(stack, 50);

    const hubs = [
      { name: 'hub-0', service: stack.hub },
      { name: 'hub-1', service: second },
    ];
    const { pid, paused, other, before } = await pauseInSlice(stack, hubs, () => tills.sell(100));
    await until(
      'the transaction of the paused hub is idle',
      async () => (await stateOf(stack, pid)) === 'idle in transaction',
    );
    const blocked = await blockedSessions(stack);
    expect(blocked.map(({ name, blockers }) => ({ name, blockers }))).toContainEqual({
      name: other.name,
      blockers: [pid],
    });
    expect((await booksOf(stack)).ids.length).toBe(50);

    await untilBooked(stack, 150);
    expect(await stateOf(stack, pid)).toBeUndefined();
    // The position is past the paused slice, so that a hub without a fence would move it back.
    await tills.sell(50);
    await untilBooked(stack, 200);

    const after = await resume(paused, before);
    await tills.sell(50);
    await untilBooked(stack, 250);
    return {
      before,
      after,
      witness: await askWitness(stack),
      sold: soldBy(tills.accepted),
      booked: await booksOf(stack),
      disagreements: (await readFound(stack.postgres.ownerUrl)).disagreements,
    };
  } finally {
    await stack.stop();
  }
};

test('H2 a hub that is paused in a slice loses its locks to the other hub and writes nothing when it resumes', async () => {
  const { before, after, witness, sold, booked, disagreements } = await pausedHub('nothing');
  expect(Number(after.fenced)).toBeGreaterThan(Number(before.fenced));
  expect(after.applied).toBe(before.applied);
  expect(witness).toEqual({ kept: 0, keptTwice: 0, movedBack: 0 });
  expect(booked).toEqual(sold);
  expect(disagreements).toEqual([]);
}, 180_000);

test('H2 control: without the fence a hub that was paused in a slice moves the position back', async () => {
  const { witness } = await pausedHub('fence');
  expect(witness.movedBack).toBeGreaterThan(0);
}, 180_000);
