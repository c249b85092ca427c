import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { withRecordedTime } from '@branchline/contracts/event.ts';
import { parseAtIntake } from '@branchline/contracts/parse.ts';
import { headers, kafkaTopics, originText } from '@branchline/contracts/topics.ts';
import { CompressionTypes, createKafka } from '@branchline/drivers/kafka/client.ts';
import { mergeDeltas } from '@branchline/hub/ledger/books/merge.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import { type Stack, startStack } from '@branchline/local/stack.ts';
import pg from 'pg';
import { cpuSeconds, peakResidentBytes } from './process-figures.ts';
import { type Bench, type BenchContext, type Figures, until } from './report.ts';
import { sale } from './sales.ts';

/** A full log and one hub that was down: how fast does it catch up, with every guarantee on? */
const sitesCount = 200;
const partitions = 4;
const day = Date.UTC(2026, 10, 2, 8);

/** An event as an agent stores it and a bridge records it. */
const storedForm = (event: object): string =>
  withRecordedTime(JSON.stringify(parseAtIntake(event)), '2026-11-02T20:00:00.000Z');

/** Event n of the load: sites in rotation, each sells every 20 seconds. */
const eventAt = (n: number) => {
  const site = `store-${String(n % sitesCount).padStart(4, '0')}`;
  const seq = Math.floor(n / sitesCount) + 1;
  return { site, seq, value: storedForm(sale(site, seq, day + seq * 20_000)) };
};

/** Writes the load as a bridge would; `again` is the share of events that comes a second time, up to 500 later. */
const fillLog = async (address: string, topic: string, events: number, again: number): Promise<number> => {
  const producer = createKafka({ brokers: [address], clientId: 'bench' }).producer();
  await producer.connect();
  const random = seededRandom(11);
  const epochs = new Map<string, string>();
  const message = (n: number) => {
    const { site, seq, value } = eventAt(n);
    const epoch = epochs.get(site) ?? randomUUID();
    epochs.set(site, epoch);
    return {
      key: site,
      value,
      headers: { [headers.origin]: originText({ site, agent: 'edge-1', stream: 'pos', epoch }, seq) },
    };
  };
  let written = 0;
  for (let n = 0; n < events; n += 1_000) {
    const count = Math.min(1_000, events - n);
    const messages = Array.from({ length: count }, (_, i) => message(n + i));
    for (let i = 0; i < count; i++)
      if (random() < again) messages.push(message(n + i - Math.floor(random() * Math.min(500, n + i))));
    await producer.send({ topic, acks: -1, compression: CompressionTypes.ZSTD, messages });
    written += messages.length;
  }
  await producer.disconnect();
  return written;
};

/** The baseline: the same events as seven typed columns, no dedup, no totals, no validation, from memory. */
const plainInserts = async (url: string, events: number): Promise<number> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    'create table plain (at timestamptz, site text, seq int8, item text, quantity int8, amount int8, received_at timestamptz)',
  );
  const rows = Array.from({ length: 2_000 }, (_, n) => eventAt(n));
  const startedAt = performance.now();
  for (let i = 0; i < events; i += 2_000) {
    await client.query({
      name: 'plain',
      text: `insert into plain select to_timestamp($1), * , now() from unnest($2::text[], $3::int8[], $4::text[], $5::int8[], $6::int8[])`,
      values: [
        day / 1000,
        `{${rows.map((row) => row.site).join(',')}}`,
        `{${rows.map((row) => row.seq + i).join(',')}}`,
        `{${rows.map((row) => `item-${row.seq % 3000}`).join(',')}}`,
        `{${rows.map(() => 1000).join(',')}}`,
        `{${rows.map(() => 199).join(',')}}`,
      ],
    });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await client.end();
  return events / seconds;
};

type Run = { name: string; again: number; key: string; events: number };

/** Waits until the hub has applied everything. The clock starts with the first applied record, after the hub's start. */
const timeApply = async (hub: Stack['hub'], written: number) => {
  let startedAt = 0;
  let cpu = 0;
  let taken = 0;
  await until(
    'everything is applied',
    600_000,
    async () => {
      const now = (await hub.status()) as { applied: number; duplicates: number } | undefined;
      const sum = Number(now?.applied ?? 0) + Number(now?.duplicates ?? 0);
      if (sum > 0 && startedAt === 0) {
        startedAt = performance.now();
        cpu = cpuSeconds(hub.component.pid);
        taken = sum;
      }
      return sum >= written;
    },
    20,
  );
  return {
    taken,
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: cpuSeconds(hub.component.pid) - cpu,
    peakBytes: peakResidentBytes(hub.component.pid),
  };
};

/** The figures of one log, and the rate at which its records were taken. */
const measureApply = async (
  { backbone, folder, onProgress }: BenchContext,
  { name, again, key, events }: Run,
): Promise<{ figures: Figures[]; rate: number }> => {
  const stack = await startStack({
    dataDir: join(folder, key),
    logDir: join(folder, key, 'logs'),
    sites: [],
    backbone,
    database: `bench_apply_${key}`,
    topicPrefix: `bench-apply-${key}`,
    partitions,
  });
  try {
    await stack.hub.component.stop();
    onProgress(`${name}: writing ${events.toLocaleString('en-GB')} events to Kafka`);
    const written = await fillLog(stack.kafka.address, kafkaTopics(stack.topicPrefix).pos, events, again);
    onProgress(`${name}: applying ${written.toLocaleString('en-GB')} records`);
    await stack.hub.component.start();
    const timed = await timeApply(stack.hub, written);
    await expectExact(stack.postgres.ownerUrl, events);
    const mergeSeconds = await mergeAll(stack.postgres.ownerUrl);
    await expectExact(stack.postgres.ownerUrl, events);
    const rate = (written - timed.taken) / timed.seconds;
    const memory = {
      what: `the hub's peak memory, ${name}`,
      unit: 'MB',
      figures: { resident: timed.peakBytes / 1e6 },
      conditions: 'same run, since the start of the process',
    };
    const applied = {
      what: `applied, ${name}`,
      unit: 'records/s',
      figures: {
        delivered: rate,
        'new events': rate * (events / written),
        'new events, deferred merge included': (events - timed.taken) / (timed.seconds + mergeSeconds),
        'per hub CPU second': (written - timed.taken) / timed.cpuSeconds,
      },
      conditions: `${written.toLocaleString('en-GB')} records, ${sitesCount} sites, 3,000 items of which a tenth makes half of the sales, ${partitions} partitions, batches of about 250 compressed with zstd, one hub, validated, deduplicated, journal and all totals, synchronous_commit on; Kafka, hub and PostgreSQL on this machine; the result was checked`,
    };
    return { figures: [memory, applied], rate };
  } finally {
    await stack.stop();
  }
};

export const applyBench: Bench = async (context) => {
  const { backbone, share, onProgress } = context;
  const events = Math.round(1_000_000 * share);
  const once = await measureApply(context, { name: 'no duplicates', again: 0, key: 'once', events });
  const again = await measureApply(context, { name: '39 % duplicates', again: 0.64, key: 'again', events });
  onProgress('baseline: plain inserts');
  await backbone.postgres.ensureDatabase('bench_apply_plain');
  const plain = await plainInserts(
    backbone.postgres.ownerUrl('bench_apply_plain'),
    Math.min(events, 200_000),
  );
  const baseline = {
    what: 'baseline: plain inserts',
    unit: 'rows/s',
    figures: { inserted: plain, 'apply / plain': once.rate / plain },
    conditions:
      '2,000 rows per statement, seven columns, no key, no Kafka, no validation, no totals, one connection',
  };
  return [...once.figures, ...again.figures, baseline];
};

/** The totals are exact before this too. The hub merges when it has time; here the merge is charged to the events. */
const mergeAll = async (url: string): Promise<number> => {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const startedAt = performance.now();
  await mergeDeltas(pool, { items: 0, seconds: 0 });
  const seconds = (performance.now() - startedAt) / 1000;
  await pool.end();
  return seconds;
};

/** A fast wrong answer is worthless: the totals must be those of the load. */
const expectExact = async (url: string, events: number): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ transactions: string; gross: string; lines: string; amount: string }>(
    `select (select sum(transactions) from sales_window) as transactions, (select sum(gross) from sales_window) as gross,
            (select sum(lines) from item_day) as lines, (select sum(amount) from item_day) as amount`,
  );
  await client.end();
  let gross = 0;
  for (let n = 0; n < events; n++) gross += 199 + ((Math.floor(n / sitesCount) + 1) % 50) * 10;
  const {
    transactions,
    gross: found,
    lines,
    amount,
  } = rows[0] as { transactions: string; gross: string; lines: string; amount: string };
  if (
    transactions !== String(events) ||
    found !== String(gross) ||
    lines !== transactions ||
    amount !== found
  ) {
    throw new Error(
      `the books are wrong: ${transactions} transactions of ${events}, gross ${found} of ${gross}, ${lines} lines, ${amount}`,
    );
  }
};
