import type { Status } from '@branchline/contracts/downlink.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { createRepeatedWarning } from '@branchline/kernel/repeated-warning.ts';

/** Reports refused statuses: each is counted, but an agent that repeats its own every ten seconds does not fill the log. */
const againMs = 5 * 60_000;
/** Names come from topics, so their number is that of the agents; a hub that meets more forgets when it logged the first. */
const agentsMax = 10_000;

export type Refusals = ReturnType<typeof reportRefusals>;

export const reportRefusals = (ports: { counters: { refusedStatuses: number }; clock: Clock; log: Log }) => {
  const loggedAt = new Map<string, number>();
  const warnOfBatch = createRepeatedWarning<string>(ports.clock, (why) =>
    ports.log.error(
      { why },
      'statuses cannot be read and are skipped; the next ones of these agents say the same',
    ),
  );
  return {
    /** `from` is `site/agent`. */
    refused: (from: string, why: string): void => {
      ports.counters.refusedStatuses += 1;
      const now = ports.clock.monotonic();
      const last = loggedAt.get(from);
      if (last !== undefined && now - last < againMs) return;
      if (loggedAt.size >= agentsMax) loggedAt.clear();
      loggedAt.set(from, now);
      const [site, agent] = from.split('/');
      ports.log.warn({ site, agent, why }, 'a status was refused');
    },
    /** A record batch of statuses whose agents are unknown. */
    unreadable: (why: string): void => {
      ports.counters.refusedStatuses += 1;
      warnOfBatch(why);
    },
    /** It fails on its own whenever it is stored. */
    skipped: (error: unknown, { site, agent }: Status): void => {
      ports.counters.refusedStatuses += 1;
      ports.log.warn({ err: error, site, agent }, 'a status could not be stored and is skipped');
    },
  };
};
