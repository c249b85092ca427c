import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Backbone, startBackbone } from '@branchline/local/backbone.ts';
import { siteNames } from '@branchline/local/branches.ts';
import type { Component } from '@branchline/local/component.ts';
import { type Stack, startStack } from '@branchline/local/stack.ts';
import { readFound } from '@branchline/simulators/online-retail/found.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../world/until.ts';
import { askWitness, placeWitness } from './books-witness.ts';
import { copyFolder, emptyTopics, whileStopped } from './machine-room.ts';
import { ask, booksOf, missingOf, openTills, soldBy, untilApplied } from './sold-and-booked.ts';

/**
 * PostgreSQL is restored from an older backup, and Kafka has nothing left that could fill the gap. The hub learns from the
 * agents' statuses what it lacks, and their archives have it. Real processes all the way.
 */

const partitions = 4;
const sites = siteNames(2, 0);
const [first, second] = sites.map(({ site }) => site) as [string, string];

/** Tenths of a second where production waits for seconds. */
const agentEnv = {
  BRANCHLINE_STATUS_INTERVAL_MS: '500',
  BRANCHLINE_RECEIPT_TIMEOUT_MS: '1000',
  BRANCHLINE_BACKOFF_CAP_MS: '2000',
  BRANCHLINE_LOG_LEVEL: 'warn',
};

let folder: string;
let backbone: Backbone;
let stack: Stack;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'branchline-restore-'));
  backbone = await startBackbone({ dataDir: join(folder, 'data'), logDir: join(folder, 'logs') });
  stack = await startStack({
    dataDir: join(folder, 'stack'),
    logDir: join(folder, 'logs'),
    sites,
    backbone,
    partitions,
    agentEnv,
    bridgeEnv: { BRANCHLINE_LOG_LEVEL: 'warn' },
    hubEnv: { BRANCHLINE_LOG_LEVEL: 'warn' },
  });
});
afterEach(async () => {
  await stack?.stop();
  await backbone?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A killed agent begins a new epoch when it restarts. */
const restart = async (site: string) => {
  const { component } = stack.branch(site);
  const { exited } = component;
  component.kill('SIGKILL');
  await exited;
  await component.start();
};
const alarms = async () => {
  const all = await Promise.all(stack.branches.map((branch) => branch.status()));
  return all.reduce((sum, status) => sum + Number(status?.alarms ?? 0), 0);
};

test.each([
  ['the hub is back before the bridge', (): Component[] => [stack.hub.component, stack.bridge.component]],
  ['the bridge is back before the hub', (): Component[] => [stack.bridge.component, stack.hub.component]],
])(
  'I1 E2 books from an older backup, with empty topics, are exact again once the agents have sent what is missing; %s',
  async (_, inOrder) => {
    const postgres = backbone.postgres.component as Component;
    const data = join(folder, 'data', 'postgres', 'data');
    const backup = join(folder, 'backup');
    const tills = openTills(stack, Date.parse('2026-11-20T16:00:00Z'));

    await tills.sell(300);
    await untilApplied(stack);
    await restart(first);
    await tills.sell(200);
    await untilApplied(stack);
    await placeWitness(stack);
    await whileStopped(postgres, () => copyFolder(data, backup));

    // What the backup lacks: more events of the epochs it knows, and epochs it does not know.
    await tills.sell(400);
    await untilApplied(stack);
    await restart(first);
    await restart(second);
    await tills.sell(300);
    await untilApplied(stack);
    await restart(first);
    await tills.sell(100);
    await untilApplied(stack);
    expect(await booksOf(stack)).toEqual(soldBy(tills.accepted));

    await stack.hub.component.stop();
    await stack.bridge.component.stop();
    await whileStopped(postgres, () => copyFolder(backup, data));
    await emptyTopics(stack, partitions);
    const restored = await booksOf(stack);
    expect(restored.ids.length).toBeLessThan(tills.accepted.length - 1_000);
    // Branches keep selling meanwhile.
    await tills.sell(50);

    const components = inOrder();
    await components[0]?.start();
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await components[1]?.start();
    let seenMissing = 0;
    const isComplete = async () => {
      seenMissing = Math.max(seenMissing, await missingOf(stack));
      return (await booksOf(stack)).ids.length >= tills.accepted.length;
    };
    await until('the books hold everything that was accepted', isComplete, {
      withinMs: 90_000,
      everyMs: 200,
    });
    await untilApplied(stack);

    expect(await booksOf(stack)).toEqual(soldBy(tills.accepted));
    expect((await readFound(stack.postgres.ownerUrl)).disagreements).toEqual([]);
    expect(await missingOf(stack)).toBe(0);
    expect(await askWitness(stack)).toMatchObject({ kept: 0, keptTwice: 0 });
    expect(await ask(stack, 'select 1 from conflict')).toEqual([]);
    // The hub named what it lacked, and the agents noticed.
    expect(seenMissing).toBeGreaterThan(0);
    expect(await alarms()).toBeGreaterThan(0);
  },
  300_000,
);
