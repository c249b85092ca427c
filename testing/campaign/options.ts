import { parseArgs } from 'node:util';
import { faultKinds } from './fault-kinds.ts';

const defaultRate = 25;
const defaultPatience = 180;

/** What one campaign does. The same seed gives the same faults, targets and durations in the same order. */
export type CampaignOptions = {
  minutes: number;
  seed: number;
  /** Names of the kinds of fault to deal; all when empty. */
  only: readonly string[];
  /** Events per second, all sites together. */
  rate: number;
  /** A guard that is turned off as a control: the campaign must then fail. */
  without: 'nothing' | 'sync';
  /** The time limit for recovering from a fault. */
  patienceSeconds: number;
  report: string | undefined;
  keepLogs: boolean;
};

export const usage = (): string => `Usage: npm run campaign -- [--minutes N] [--seed N] …

Injects faults into Branchline for N minutes while tills sell, and checks that the books stay exact. Agents with SQLite files, two bridges,
two hubs, an MQTT broker, Kafka and PostgreSQL are real processes on this machine, with ports and a folder of their own; every
connection between them goes through a proxy that can cut it, slow it down or leave it half open. A witness remembers the
answers that each till got and compares the books with them: continuously, every ten minutes while nobody sells, and at the end.

A fault has passed when, in time (--patience), every event accepted before it ended is in the books and every site has sold and
booked something after it. Nothing may be lost, doubled or invented; totals, items and stock on hand must be
equal to the last unit; no process may grow.

  --minutes N   how long to inject faults; 10 by default. The final check takes another minute
  --seed N      repeats order, targets and durations of an earlier campaign; random by default
  --only A,B    only these kinds of fault
  --rate N      events per second, all sites together; 25 by default
  --without G   control, without one guard: the campaign must fail. sync: agents answer before the event is on disk
  --patience N  seconds allowed for recovery from a fault; 180 by default
  --report F    also write the report to this file
  --keep-logs   keep the folder with logs and databases; it is always kept after a failure
  --help        show this text

Exit code: 0 when everything held, 1 when not, 2 for a wrong argument, 130 when interrupted.

Kinds of fault:

${faultKinds.map(({ name, about }) => `  ${name.padEnd(22)} ${about}`).join('\n')}`;

export class UsageError extends Error {
  override name = 'UsageError';
}

const numberOf = (name: string, text: string | undefined, fallback: number, max: number): number => {
  if (text === undefined) return fallback;
  const number = Number(text);
  if (text.trim() === '' || !(number > 0 && number <= max))
    throw new UsageError(`--${name} ${text}: a number above 0, at most ${max}`);
  return number;
};

const seedOf = (text: string | undefined, fallback: number): number => {
  const seed = text === undefined ? fallback : Number(text);
  if (text?.trim() === '' || !Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff)
    throw new UsageError(`--seed ${text}: a whole number from 0 to 4294967295`);
  return seed;
};

const kindsOf = (text: string | undefined): string[] => {
  const names = (text ?? '').split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => !faultKinds.some((kind) => kind.name === name));
  if (unknown.length > 0) throw new UsageError(`--only ${unknown.join(',')}: no such kind of fault`);
  return names;
};

/** Throws UsageError; undefined if only help is wanted. */
export const parseOptions = (args: string[], randomSeed: number): CampaignOptions | undefined => {
  const { values } = (() => {
    try {
      return parseArgs({
        args,
        options: {
          minutes: { type: 'string' },
          seed: { type: 'string' },
          only: { type: 'string' },
          rate: { type: 'string' },
          without: { type: 'string' },
          patience: { type: 'string' },
          report: { type: 'string' },
          'keep-logs': { type: 'boolean' },
          help: { type: 'boolean' },
        },
      });
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  })();
  if (values.help === true) return undefined;
  const without = values.without ?? 'nothing';
  if (without !== 'nothing' && without !== 'sync')
    throw new UsageError(`--without ${without}: nothing or sync`);
  return {
    minutes: numberOf('minutes', values.minutes, 10, 10_080),
    seed: seedOf(values.seed, randomSeed),
    only: kindsOf(values.only),
    rate: numberOf('rate', values.rate, defaultRate, 200),
    without,
    patienceSeconds: numberOf('patience', values.patience, defaultPatience, 3_600),
    report: values.report,
    keepLogs: values['keep-logs'] === true,
  };
};

/** The command that deals the same faults again. */
export const repeatCommand = ({
  minutes,
  seed,
  only,
  rate,
  without,
  patienceSeconds,
}: CampaignOptions): string =>
  [
    `npm run campaign -- --minutes ${minutes} --seed ${seed}`,
    ...(only.length === 0 ? [] : [`--only ${only.join(',')}`]),
    ...(rate === defaultRate ? [] : [`--rate ${rate}`]),
    ...(without === 'nothing' ? [] : [`--without ${without}`]),
    ...(patienceSeconds === defaultPatience ? [] : [`--patience ${patienceSeconds}`]),
  ].join(' ');
