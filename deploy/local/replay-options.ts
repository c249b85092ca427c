import { parseArgs } from 'node:util';
import { parseInstant } from '@branchline/contracts/time.ts';

/** `npm run fleet -- replay`: which events a site is asked to send again. */
export const resendUsage = `Asks the agent of a site to send events again that it still keeps, with their old numbers. What is in the books
already is not counted twice; what was missing is then there. It ends when the agent has sent all of it.

  npm run fleet -- replay store-0007 --from 10:15 --to 10:30
  npm run fleet -- replay store-0007 --from 2026-11-22T08:00:00+01:00 --to 2026-11-22T20:00:00+01:00
  npm run fleet -- replay store-0007 --seqs EPOCH:1-500

  --from T --to T       when the agent accepted the events: a time of today, HH:MM, or RFC 3339 with its offset
  --seqs EPOCH:F-L      the events F to L of one epoch; /v1/status of the agent and the dashboard name epochs
  --stream pos|stock    transactions or stock movements [pos; stock at a warehouse]
  --agent NAME          which agent of the site [edge-1]`;

export type ResendAsk = {
  site: string;
  agent: string;
  stream: 'pos' | 'stock';
} & ({ epoch: string; seqs: [number, number] } | { accepted: [string, string] });

const instantOf = (text: string, now: Date): string | undefined => {
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text);
  if (clock !== null) {
    const at = new Date(now);
    at.setHours(Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0), 0);
    return at.toISOString();
  }
  const instant = parseInstant(text);
  return instant === undefined ? undefined : new Date(instant.at).toISOString();
};

const rangeOf = (text: string): { epoch: string; seqs: [number, number] } | undefined => {
  const found = /^([0-9a-f-]{36}):([1-9]\d*)-([1-9]\d*)$/.exec(text);
  const [, epoch, first, last] = found ?? [];
  if (epoch === undefined || Number(first) > Number(last)) return undefined;
  return { epoch, seqs: [Number(first), Number(last)] };
};

/** What to ask for, or one line that says what is wrong. `isWarehouse` settles the stream when nobody names it. */
export const readResend = (
  argv: readonly string[],
  isWarehouse: (site: string) => boolean,
  now: Date,
): ResendAsk | { wrong: string } => {
  let values: Record<string, string | undefined>;
  let sites: string[];
  try {
    ({ values, positionals: sites } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        from: { type: 'string' },
        to: { type: 'string' },
        seqs: { type: 'string' },
        stream: { type: 'string' },
        agent: { type: 'string', default: 'edge-1' },
      },
    }));
  } catch (error) {
    return { wrong: (error as Error).message };
  }
  const [site] = sites;
  if (site === undefined || sites.length > 1) return { wrong: 'Name one site.' };
  const { from, to, seqs, agent = 'edge-1' } = values;
  const stream = values.stream ?? (isWarehouse(site) ? 'stock' : 'pos');
  if (stream !== 'pos' && stream !== 'stock') return { wrong: `--stream ${stream}: neither pos nor stock` };
  if ((seqs === undefined) === (from === undefined && to === undefined))
    return { wrong: 'Say what to send again: either --from and --to, or --seqs.' };
  if (seqs !== undefined) {
    const range = rangeOf(seqs);
    return range === undefined
      ? { wrong: `--seqs ${seqs}: not EPOCH:FIRST-LAST` }
      : { site, agent, stream, ...range };
  }
  const [start, end] = [instantOf(from ?? '', now), instantOf(to ?? '', now)];
  if (start === undefined || end === undefined)
    return { wrong: 'Both --from and --to are needed, as HH:MM or as 2026-11-22T08:00:00+01:00.' };
  return start <= end
    ? { site, agent, stream, accepted: [start, end] }
    : { wrong: `--from ${from} is after --to ${to}` };
};
