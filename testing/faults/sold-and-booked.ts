import type { BranchEvent } from '@branchline/contracts/parse.ts';
import { posTypes } from '@branchline/contracts/pos.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import type { Stack } from '@branchline/local/stack.ts';
import { createAgentClient } from '@branchline/simulators/agent-client.ts';
import { createTill } from '@branchline/simulators/till/till.ts';
import pg from 'pg';
import { until } from '../world/until.ts';

/** Tills that remember what they sold, and what the books hold of it. */

const zone = 'Europe/Berlin';
const minuteMs = 60_000;
const requestEvents = 100;

/** Sells at every site of a stack and remembers every event that an agent accepted. */
export const openTills = (stack: Stack, startedAt: number) => {
  const accepted: BranchEvent[] = [];
  const tills = stack.branches.map(({ site }, i) => ({
    site,
    now: startedAt,
    till: createTill({
      site,
      workstationId: 'till-1',
      zone,
      currency: 'EUR',
      startedAt,
      random: seededRandom(i + 1),
    }),
  }));
  return {
    accepted,
    /** `count` transactions a site, a minute apart. */
    sell: async (count: number): Promise<void> => {
      await Promise.all(
        tills.map(async (one) => {
          const { url, token } = stack.branch(one.site);
          const client = createAgentClient({ url, token });
          for (let left = count; left > 0; left -= requestEvents) {
            const events = Array.from({ length: Math.min(left, requestEvents) }, () => {
              one.now += minuteMs;
              return one.till.next(one.now);
            });
            await client.send(events);
            accepted.push(...events);
          }
          client.close();
        }),
      );
    },
  };
};

/** The ids and the turnover, straight from what the tills sent. */
export const soldBy = (events: readonly BranchEvent[]) => {
  const turnover = events.filter(
    (event) =>
      event.type === posTypes.voided || (event.type === posTypes.completed && event.data.training !== true),
  );
  return {
    ids: events.map(({ id, data }) => `${data.site.storeId} ${id}`).sort(),
    transactions: turnover.length,
    gross: turnover.reduce((sum, { data }) => sum + (data as { totals: { gross: number } }).totals.gross, 0),
  };
};

/** Until every agent knows that all it accepted is in the books. */
export const untilApplied = (stack: Stack): Promise<void> =>
  until(
    'the agents know that everything is in the books',
    async () => {
      const all = await Promise.all(stack.branches.map((branch) => branch.status()));
      return all.every(
        (status) => status !== undefined && status.applied === status.accepted && status.pending === 0,
      );
    },
    { withinMs: 90_000, everyMs: 200 },
  );

export const ask = async <T extends pg.QueryResultRow>(stack: Stack, sql: string): Promise<T[]> => {
  const client = new pg.Client({ connectionString: stack.postgres.ownerUrl });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
};

export const booksOf = async (stack: Stack) => {
  const journal = await ask<{ id: string }>(
    stack,
    `select site.name || ' ' || event_id as id from journal join site using (site_id)`,
  );
  const [sums] = await ask<{ transactions: string; gross: string }>(
    stack,
    'select coalesce(sum(transactions + voids), 0) as transactions, coalesce(sum(gross), 0) as gross from sales_window',
  );
  return {
    ids: journal.map(({ id }) => id).sort(),
    transactions: Number(sums?.transactions),
    gross: Number(sums?.gross),
  };
};

/** What the hub knows to be missing: seqs below the highest one reported to it. */
export const missingOf = async (stack: Stack): Promise<number> => {
  const [row] = await ask<{ missing: string }>(
    stack,
    `select coalesce(sum(upper(gap) - lower(gap)), 0) as missing from source s, unnest(
       int8multirange(int8range(1, greatest(s.reported_highest, coalesce(upper(s.seen) - 1, 0)) + 1)) - s.seen) gap`,
  );
  return Number(row?.missing);
};
