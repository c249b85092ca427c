import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Backbone, startBackbone } from '@branchline/local/backbone.ts';
import { siteNames } from '@branchline/local/branches.ts';
import { type Stack, startStack } from '@branchline/local/stack.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { transactionEvent } from '../world/events.ts';
import { until } from '../world/until.ts';
import { ask, booksOf, missingOf, openTills, soldBy, untilApplied } from './sold-and-booked.ts';

/** What a person requests from the hub and, through it, from a branch, with real processes all the way. */

const [first] = siteNames(1, 0).map(({ site }) => site) as [string];

let folder: string;
let backbone: Backbone;
let stack: Stack;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'branchline-replay-'));
  backbone = await startBackbone({ dataDir: join(folder, 'data'), logDir: join(folder, 'logs') });
  stack = await startStack({
    dataDir: join(folder, 'stack'),
    logDir: join(folder, 'logs'),
    sites: siteNames(1, 0),
    backbone,
    partitions: 2,
    agentEnv: { BRANCHLINE_STATUS_INTERVAL_MS: '500', BRANCHLINE_LOG_LEVEL: 'warn' },
    bridgeEnv: { BRANCHLINE_LOG_LEVEL: 'warn' },
    hubEnv: { BRANCHLINE_LOG_LEVEL: 'warn' },
  });
});
afterAll(async () => {
  await stack?.stop();
  await backbone?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('H1 a replay over three epochs of an agent is followed from asked to done, while it sells, and changes nothing where nothing was missing', async () => {
  const tills = openTills(stack, Date.parse('2026-11-20T08:00:00Z'));
  const from = new Date();
  for (let epoch = 1; epoch <= 3; epoch++) {
    await tills.sell(150);
    await untilApplied(stack);
    if (epoch === 3) break;
    const { component } = stack.branch(first);
    await component.stop();
    await component.start();
  }
  const before = soldBy(tills.accepted);
  expect(await booksOf(stack)).toEqual(before);
  const to = new Date();
  await ask(
    stack,
    `insert into replay_request (site_id, agent, stream, accepted_from, accepted_to)
     select site_id, 'edge-1', 'pos', '${from.toISOString()}', '${to.toISOString()}' from site where name = '${first}'`,
  );
  const selling = tills.sell(50);
  const states = new Set<string>();
  await until('the replay is done', async () => {
    const [row] = await ask<{ state: string }>(stack, 'select state from replay_request');
    states.add(row?.state as string);
    return row?.state === 'done';
  });
  expect(states.size).toBeGreaterThan(1);
  await selling;
  await untilApplied(stack);
  const [done] = await ask(
    stack,
    'select events, events_left, applied_after - applied_before as gained from replay_request',
  );
  expect(done).toEqual({ events: '450', events_left: '0', gained: '0' });
  const [source] = await ask<{ again: string }>(stack, 'select sum(redelivered) as again from source');
  expect(Number(source?.again)).toBeGreaterThanOrEqual(450);
  expect(await booksOf(stack)).toEqual(soldBy(tills.accepted));
  expect(await missingOf(stack)).toBe(0);
}, 120_000);

test('the statuses of agents and hubs are in the database for the reports', async () => {
  await until('the books are complete up to the last status', async () => {
    const [row] = await ask<{ complete: boolean }>(
      stack,
      `select bool_and(s.complete_to >= a.heard_at - interval '5 seconds') as complete
       from agent a, source s where s.source_id = any(a.sources)`,
    );
    return row?.complete === true;
  });
  const [agent] = await ask(
    stack,
    `select said, pending, abs(clock_ahead_ms) < 60000 as right_clock, now() - heard_at < interval '10 seconds' as fresh from agent`,
  );
  expect(agent).toEqual({ said: 'alive', pending: '0', right_clock: true, fresh: true });
  const [hub] = await ask(
    stack,
    `select instance, version, lag_records, fenced, slices > 0 as worked, now() - said_at < interval '10 seconds' as fresh from hub_state`,
  );
  expect(hub).toEqual({
    instance: 'hub-0',
    version: '0.1.0',
    lag_records: '0',
    fenced: '0',
    worked: true,
    fresh: true,
  });
});

test('H4 an event that a person asks to re-apply is taken up by the running hub, and is in the books', async () => {
  const event = transactionEvent({
    site: first,
    sequence: 1,
    at: Date.parse('2026-11-19T09:00:00Z'),
    lines: [{ item: 'quarantined', quantity: 1000, amount: 12_345 }],
  });
  const raw = Buffer.from(JSON.stringify(event)).toString('hex');
  // As an older hub would have kept it: its seq taken, its bytes in quarantine.
  await ask(
    stack,
    `insert into quarantine (topic, partition, off, source_id, first_seq, last_seq, reason, detail, raw, state, asked_at)
     select topic, partitions[1], 0, source_id, 1, 1, 'schema', 'unknown to an older hub', decode('${raw}', 'hex'), 'asked', now()
     from source where stream = 'pos' and partitions <> '{}' limit 1`,
  );
  await until('the row is settled', async () => {
    const [row] = await ask<{ state: string }>(stack, 'select state from quarantine');
    return row?.state === 'applied';
  });
  expect(await ask(stack, `select gross from journal where event_id = '${event.id}'`)).toEqual([
    { gross: '12345' },
  ]);
  expect(
    await ask(stack, "select transactions, gross from till_day where business_day = '2026-11-19'"),
  ).toEqual([{ transactions: '1', gross: '12345' }]);
});
