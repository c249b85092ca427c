import { quantityOf } from '@branchline/contracts/decimal.ts';
import type { Reconciliation, SalesDay, SalesInterval } from '@branchline/hub/reports/contract.ts';
import type { Stack } from '@branchline/local/stack.ts';
import { expect, test } from 'vitest';
import { useBackbone } from './backbone-with-data.ts';
import { duplicateFrames } from './duplicator.ts';
import { type Oracle, readOracle, type Sold } from './sales-oracle.ts';
import { dataFolder, type Faults, hasData, runScenario, sites } from './scenario.ts';

/** What people read, compared with the files: the same real sales, through outages and duplicates, from the report API. */
const intervalMs = 5 * 60_000;
const backbone = useBackbone();

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Half of the stores are offline for half of the time, the bridge is killed, and three of ten frames are delivered twice. */
const outageAndDuplicates = async ({ stack, fed }: Faults) => {
  const duplicator = await duplicateFrames(stack, 0.3);
  const offline = sites.slice(0, 2);
  await fed(0.2);
  for (const { site } of offline) await stack.wan?.set(site, { online: false });
  await fed(0.5);
  const { exited } = stack.bridge.component;
  stack.bridge.component.kill('SIGKILL');
  await exited;
  await stack.bridge.component.start();
  await fed(0.8);
  for (const { site } of offline) await stack.wan?.set(site, { online: true });
  await fed(1);
  await pause(1_000);
  expect(duplicator.doubled()).toBeGreaterThan(10);
  await duplicator.close();
};

/** Every row of a list, page by page. */
const rowsOf = async <T>(stack: Stack, path: string): Promise<T[]> => {
  const rows: T[] = [];
  let next: string | null = null;
  do {
    const cursor: string = next === null ? '' : `&cursor=${encodeURIComponent(next)}`;
    const answer = await fetch(`${stack.reports?.url}/api/v1${path}${cursor}`);
    expect(answer.status, await answer.clone().text()).toBe(200);
    const page = (await answer.json()) as { rows: T[]; next: string | null };
    rows.push(...page.rows);
    next = page.next;
  } while (next !== null);
  return rows;
};

const sold = (row: SalesDay | SalesInterval): Sold => ({
  transactions: row.transactions,
  lines: row.lines,
  units: quantityOf(row.units) / 1_000,
  pence: row.gross,
});

const expectAsInFiles = async (stack: Stack, oracle: Oracle): Promise<void> => {
  const days = await rowsOf<SalesDay>(stack, '/sales/days?fromDay=2010-11-30&toDay=2010-12-15&currency=GBP');
  const found = new Map(
    days.filter((row) => row.transactions > 0).map((row) => [row.businessDay, sold(row)]),
  );
  expect(found).toEqual(oracle.byDay);

  const intervals = await rowsOf<SalesInterval>(
    stack,
    '/sales/intervals?from=2010-12-01T00:00:00Z&to=2010-12-15T00:00:00Z&currency=GBP&limit=1000',
  );
  expect(intervals).toHaveLength((14 * 86_400_000) / intervalMs);
  const filled = intervals.filter((row) => row.transactions > 0);
  expect(new Map(filled.map((row) => [Date.parse(row.start), sold(row)]))).toEqual(oracle.byInterval);
  // Fifteen years late: nothing was there when these intervals ended, so everything counts as late.
  expect(filled.every((row) => row.onTime.transactions === 0 && row.revision >= 1)).toBe(true);
  // No agent was there to confirm that these are all.
  expect(filled.every((row) => row.completeness.unknown === sites.length)).toBe(true);
};

const expectReconciled = async (stack: Stack, oracle: Oracle): Promise<void> => {
  for (const [day, { transactions }] of oracle.byDay) {
    const rows = await rowsOf<Reconciliation>(stack, `/reconciliation?day=${day}`);
    expect(rows.map((row) => row.state)).toEqual(rows.map(() => 'equal'));
    expect(rows.reduce((sum, row) => sum + row.books.transactions, 0)).toBe(transactions);
  }
};

const expectSelfCheckEqual = async (stack: Stack): Promise<void> => {
  const answer = await fetch(`${stack.reports?.url}/api/v1/exactness/check`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ equal: true });
};

test.skipIf(!hasData)(
  'H1 H3 I1 reports agree with the files on every interval and every day, after outages and duplicates',
  async () => {
    const oracle = await readOracle(dataFolder, intervalMs);
    expect(oracle.byDay.size).toBe(12);
    let inspected = false;
    const { check } = await runScenario({
      backbone: backbone(),
      broker: 'aedes',
      faults: outageAndDuplicates,
      inspect: async (stack) => {
        await expectAsInFiles(stack, oracle);
        await expectReconciled(stack, oracle);
        await expectSelfCheckEqual(stack);
        inspected = true;
      },
    });
    expect(check.equal).toBe(true);
    expect(inspected).toBe(true);
  },
  240_000,
);

if (!hasData)
  console.warn(`SKIPPED: the real data set is not at ${dataFolder}; set BRANCHLINE_TEST_DATA to its folder`);
