import type { Status } from '@branchline/contracts/downlink.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { createRepeatedWarning } from '@branchline/kernel/repeated-warning.ts';

/** Reports refused statuses: each is counted, but an agent that repeats its own every ten seconds does not fill the log. */

/** Names come from topics, so their number is that of the agents; a hub that meets more forgets when it logged the first. */
const agentsMax = 10_000;

export type Refusals = ReturnType<typeof reportRefusals>;

export const reportRefusals = (ports: { counters: { refusedStatuses: number }; clock: Clock; log: Log }) => {
  const warnings = new Map<string, (why: string) => void>();
  const warningOf = (from: string): ((why: string) => void) => {
    const known = warnings.get(from);
    if (known !== undefined) return known;
    if (warnings.size >= agentsMax) warnings.clear();
    const [site, agent] = from.split('/');
    const warn = createRepeatedWarning<string>(ports.clock, (why) =>
      ports.log.warn({ site, agent, why }, 'a status was refused'),
    );
    warnings.set(from, warn);
    return warn;
  };
  const warnOfBatch = createRepeatedWarning<string>(ports.clock, (why) =>
    ports.log.error(
      { why },
      'statuses cannot be read and are skipped; the next status of each agent takes the place of the one skipped',
    ),
  );
  return {
    /** `from` is `site/agent`. */
    refused: (from: string, why: string): void => {
      ports.counters.refusedStatuses += 1;
      warningOf(from)(why);
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
