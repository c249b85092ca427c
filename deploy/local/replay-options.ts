import { parseArgs } from 'node:util';
import { parseInstant } from '@branchline/contracts/time.ts';

export const replayHelp = `Usage: npm run replay -- SITE --from TIME --to TIME [options]
       npm run replay -- SITE --seqs EPOCH:FIRST-LAST [options]

Asks the agent of a site to send buffered events again, under their old epoch and seq, and waits until it has sent them.
Events already in the books are not counted twice; events that were missing are in the books afterwards. npm start must be
running. An agent keeps an event until it is applied, and then for three days (archiveKeepMinutes) or until the disk budget
needs the room.

  --from TIME --to TIME    when the agent accepted the events: HH:MM of today, or RFC 3339 with its offset
  --seqs EPOCH:FIRST-LAST  the seqs FIRST to LAST of one epoch; the agent's /v1/status and the dashboard name epochs
  --stream pos|stock       transactions or stock movements [pos; stock at a warehouse]
  --agent NAME             which agent of the site [edge-1]
  --help                   show this text

Exit codes:
  0  the agent has sent everything it keeps of the range
  1  the replay could not be made or not finished; the message says what to do
  2  the arguments are wrong

Examples:
  npm run replay -- store-0007 --from 10:15 --to 10:30
  npm run replay -- store-0007 --from 2026-11-22T08:00:00+01:00 --to 2026-11-22T20:00:00+01:00
  npm run replay -- store-0007 --seqs 0189d1de-4b1b-7c3e-9c4a-2f1d3b5a7c9e:1-500

To check the books against a data set: npm run verify -- --help
`;

export type ReplayRequest = {
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

const seqsOf = (text: string): { epoch: string; seqs: [number, number] } | { wrong: string } => {
  const found = /^([0-9a-f-]{36}):([1-9]\d*)-([1-9]\d*)$/.exec(text);
  const [, epoch, first, last] = found ?? [];
  return epoch === undefined || Number(first) > Number(last)
    ? { wrong: `--seqs ${text}: not EPOCH:FIRST-LAST` }
    : { epoch, seqs: [Number(first), Number(last)] };
};

const acceptedOf = (
  from: string | undefined,
  to: string | undefined,
  now: Date,
): { accepted: [string, string] } | { wrong: string } => {
  const [start, end] = [instantOf(from ?? '', now), instantOf(to ?? '', now)];
  if (start === undefined || end === undefined)
    return {
      wrong:
        'Both --from and --to are needed, each a time that exists, such as 10:15 or 2026-11-22T08:00:00+01:00.',
    };
  if (start > end) return { wrong: `--from ${from} is after --to ${to}` };
  if (start > now.toISOString())
    return {
      wrong: `--from ${from} is in the future; for another day give the date, as 2026-11-22T08:00:00+01:00`,
    };
  return { accepted: [start, end] };
};

/** What to ask for, or one line that says what is wrong. `isWarehouse` settles the stream when --stream is absent. */
export const readReplay = (
  argv: readonly string[],
  isWarehouse: (site: string) => boolean,
  now: Date,
): ReplayRequest | { wrong: string } => {
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
    // Node adds advice on arguments that begin with a hyphen, which none does here.
    const [message = ''] = (error as Error).message.split('. ');
    return { wrong: message };
  }
  const [site] = sites;
  if (site === undefined || sites.length > 1)
    return {
      wrong:
        'Name one site. Its options follow after --, as in: npm run replay -- store-0007 --from 10:15 --to 10:30',
    };
  const { from, to, seqs, agent = 'edge-1' } = values;
  const stream = values.stream ?? (isWarehouse(site) ? 'stock' : 'pos');
  if (stream !== 'pos' && stream !== 'stock') return { wrong: `--stream ${stream}: neither pos nor stock` };
  if ((seqs === undefined) === (from === undefined && to === undefined))
    return { wrong: 'Say what to send again: either --from and --to, or --seqs.' };
  const range = seqs === undefined ? acceptedOf(from, to, now) : seqsOf(seqs);
  return 'wrong' in range ? range : { site, agent, stream, ...range };
};
