import { createRequire } from 'node:module';
import fc from 'fast-check';
import kafkaFetch from 'kafkajs/src/protocol/requests/fetch/index.js';
import { expect, test } from 'vitest';
import type { Kafka } from './client.ts';
import { codecNames, compress, decompressedBytesMax } from './compression.ts';
import { readLog } from './consume.ts';
import { crc32c } from './crc32c.ts';
import { encodeRecords, recordBatch } from './encode.ts';
import { type FetchResponse, recordsFrom, teachWholeBatches, wholeBatches } from './fetch-response.ts';
import type { LogRecord } from './record.ts';
import { UnreadableBatch } from './record-queue.ts';

/**
 * Record batches that a broken disk, a broken producer or an attacker may have written, with matching checksums. The rule: the
 * right records, or an error that names topic, partition and offset; never a hang, never unbounded memory, never a record left
 * out silently. And one bad partition does not keep the others from being read.
 */
interface Encoder {
  buffer: Buffer;
  writeInt16(value: number): this;
  writeInt32(value: number): this;
  writeInt64(value: number): this;
  writeString(value: string): this;
  writeBytes(value: Buffer): this;
}
const KafkaEncoder: new () => Encoder = createRequire(import.meta.url)('kafkajs/src/protocol/encoder');
type Batch = { messages: never[] };
const KafkaBatch: new (topic: string, fetchedOffset: string, data: object) => Batch = createRequire(
  import.meta.url,
)('kafkajs/src/consumer/batch');

teachWholeBatches();
type MakeRequest = (args: object) => { response: { decode(bytes: Buffer): Promise<FetchResponse> } };
const protocol = (kafkaFetch as { protocol(args: { version: number }): MakeRequest }).protocol;

const logEnd = 1_000;
const asked = 500;

const responseOf = (
  recordSets: readonly Buffer[],
  aborted: readonly { producerId: number; first: number }[] = [],
) => {
  const out = new KafkaEncoder().writeInt32(0).writeInt16(0).writeInt32(0);
  out.writeInt32(1).writeString('sales').writeInt32(recordSets.length);
  for (const [partition, recordSet] of recordSets.entries()) {
    out.writeInt32(partition).writeInt16(0).writeInt64(logEnd).writeInt64(logEnd).writeInt64(0);
    out.writeInt32(aborted.length);
    for (const { producerId, first } of aborted) out.writeInt64(producerId).writeInt64(first);
    out.writeInt32(-1).writeBytes(recordSet);
  }
  return out.buffer;
};

/** As the consumer gets it: decoded, passed through kafkajs' own filter, unpacked. */
const read = async (
  recordSets: readonly Buffer[],
  aborted: readonly { producerId: number; first: number }[] = [],
): Promise<(readonly LogRecord[] | Error)[]> => {
  const partitions = recordSets.map((_, partition) => ({ partition, fetchOffset: String(asked) }));
  const args = { rackId: wholeBatches, topics: [{ topic: 'sales', partitions }] };
  const { responses } = await protocol({ version: 11 })(args).response.decode(
    responseOf(recordSets, aborted),
  );
  return (responses[0]?.partitions ?? []).map((data) => {
    const { messages } = new KafkaBatch('sales', String(asked), data);
    try {
      const queue = recordsFrom(messages, asked);
      const first = queue.ahead(Number.POSITIVE_INFINITY);
      // An error shows once the records before it are taken.
      const taken = [...first];
      queue.drop(taken.length);
      queue.ahead(1);
      return taken;
    } catch (error) {
      return error as Error;
    }
  });
};

const readOne = async (recordSet: Buffer): Promise<readonly LogRecord[] | Error> =>
  (await read([recordSet]))[0] as readonly LogRecord[] | Error;

/** With counted headers, a truncated list would lack the last record. */
const recordsSection = (values: readonly Uint8Array[], headers: Record<string, string> = { a: 'b' }) =>
  encodeRecords([
    { key: 'store-0001', values, headers, counted: { name: 'bl-origin', prefix: 'of ', first: 1 } },
  ]);

const seal = (batch: Buffer): Buffer => {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
};

const batchOf = (records: Buffer, count: number, codec = 0, baseOffset = asked): Buffer => {
  const stored = compress(codecNames[codec] as (typeof codecNames)[number], records);
  const batch = recordBatch({ records: stored, count }, { now: 1_790_000_000_000, codec });
  batch.writeBigInt64BE(BigInt(baseOffset), 0);
  return batch;
};

const expectLocated = (error: unknown, partition = 0): void => {
  expect(error).toBeInstanceOf(UnreadableBatch);
  expect((error as Error).message).toMatch(
    new RegExp(
      `^cannot read (offsets \\d+ to \\d+ of sales, partition ${partition}|sales, partition ${partition}, from offset \\d+)`,
    ),
  );
};

const expectWhole = (records: readonly LogRecord[], count: number): void => {
  expect(records.length).toBe(count);
  let before = asked - 1;
  for (const record of records) {
    expect(record.offset).toBeGreaterThan(before);
    before = record.offset;
    expect(record.value.length).toBe(record.size);
    expect(Math.abs(record.timestamp)).toBeLessThanOrEqual(8_640_000_000_000_000);
    expect(() => record.headers).not.toThrow();
  }
  expect(before).toBeLessThan(logEnd);
};

const someValues = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 8 });
const anyCodec = fc.nat(codecNames.length - 1);
const flips = fc.array(fc.tuple(fc.nat(10_000), fc.nat(7)), { minLength: 1, maxLength: 3 });

test('bad input 60 bits changed before the checksum was computed give whole records or a located error, in every codec', async () => {
  await fc.assert(
    fc.asyncProperty(someValues, anyCodec, flips, async (values, codec, changed) => {
      const { records, count } = recordsSection(values);
      const damaged = Buffer.from(records);
      for (const [at, bit] of changed) {
        const place = at % damaged.length;
        damaged[place] = (damaged[place] as number) ^ (1 << bit);
      }
      const found = await readOne(batchOf(damaged, count, codec));
      if (found instanceof Error) expectLocated(found);
      else expectWhole(found, count);
    }),
    { numRuns: 1_500 },
  );
});

test('bad input 61 a record section that ends early or late is refused, never shortened', async () => {
  const { records, count } = recordsSection([Buffer.from('one'), Buffer.from('two'), Buffer.from('three')]);
  expectWhole((await readOne(batchOf(records, count))) as LogRecord[], 3);
  for (const codec of codecNames.keys()) {
    for (let length = 0; length < records.length; length++)
      expectLocated(await readOne(batchOf(records.subarray(0, length), count, codec)));
    expectLocated(await readOne(batchOf(Buffer.concat([records, Buffer.from([0])]), count, codec)));
    expectLocated(await readOne(batchOf(records, count - 1, codec)));
    expectLocated(await readOne(batchOf(records, count + 1, codec)));
  }
});

/** Where the header's fields are, and how wide. */
const fields = [
  [8, 4, 'length'],
  [16, 1, 'magic'],
  [21, 2, 'attributes'],
  [23, 4, 'last offset delta'],
  [57, 4, 'count'],
  [0, 8, 'base offset'],
] as const;

test.each(fields)(
  'bad input 62 a header with any other value at byte %i (%i wide, %s) skips nothing',
  async (at, width) => {
    const extreme = fc.constantFrom(
      -1n,
      -2n,
      0n,
      1n,
      2n,
      0x7fffffffn,
      -0x80000000n,
      2n ** 62n,
      499n,
      501n,
      999n,
      1_000n,
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(extreme, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
        anyCodec,
        async (value, codec) => {
          const { records, count } = recordsSection([Buffer.from('one'), Buffer.from('two')]);
          const batch = batchOf(records, count, codec);
          const next = batchOf(records, count, codec, asked + 10);
          const before = Buffer.from(batch);
          const wide = Buffer.alloc(8);
          wide.writeBigInt64BE(BigInt.asIntN(64, value));
          wide.copy(batch, at, 8 - width);
          if (batch.equals(before)) return;
          seal(batch);
          const [found, sound] = await read([Buffer.concat([batch, next]), before]);
          expectWhole(sound as LogRecord[], count);
          if (found instanceof Error) return expectLocated(found);
          // This length makes the batch look cut off: it is kept for the next fetch, with all that follows.
          if (at === 8 && found?.length === 0) return;
          // Plausible offsets: compaction leaves gaps, and appending sets the base.
          const offsets = (found as LogRecord[]).map(({ offset }) => offset);
          const passed = at === 0 && value < BigInt(asked) ? asked - Number(value) : 0;
          expect(offsets.length).toBe(2 * count - passed);
          expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
        },
      ),
      { numRuns: 400 },
    );
  },
);

test('bad input 63 noise instead of batches is an error of only its own partition', async () => {
  const { records, count } = recordsSection([Buffer.from('one')]);
  const sound = batchOf(records, count);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 61, maxLength: 300 }), async (noise) => {
      const [bad, good] = await read([Buffer.concat([sound, noise]), sound]);
      expectWhole(good as LogRecord[], count);
      // Noise may look like the start of a batch that was cut off.
      if (bad instanceof Error) expectLocated(bad);
      else expectWhole(bad as LogRecord[], count);
    }),
    { numRuns: 500 },
  );
});

/** A message of the formats before Kafka 0.11: offset, size, checksum, magic, attributes, (time,) key, value. */
const oldMessage = (magic: 0 | 1): Buffer => {
  const body = Buffer.concat([
    Buffer.from([0, 0, 0, 0, magic, 0]),
    Buffer.alloc(magic === 1 ? 8 : 0),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 3]),
    Buffer.from('old'),
  ]);
  const head = Buffer.alloc(12);
  head.writeBigInt64BE(BigInt(asked));
  head.writeInt32BE(body.length, 8);
  return Buffer.concat([head, body]);
};

test.each([0, 1] as const)(
  'bad input 64 message sets of magic %i are named, and the other partitions are read',
  async (magic) => {
    const { records, count } = recordsSection([Buffer.from('one')]);
    const [old, sound] = await read([oldMessage(magic), batchOf(records, count)]);
    expectLocated(old);
    expect((old as Error).message).toContain(
      `sales, partition 0, from offset ${asked}: cannot read record batches of magic ${magic}`,
    );
    expectWhole(sound as LogRecord[], count);
  },
);

const varint = (value: bigint): Buffer => {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return Buffer.from([...bytes, Number(left)]);
};
const chunk = (bytes: string | null) =>
  bytes === null ? varint(-1n) : Buffer.concat([varint(BigInt(bytes.length)), Buffer.from(bytes)]);
/** One record with every field given by the caller. */
const record = (timestampDelta: Buffer, offsetDelta: Buffer, tail: readonly Buffer[]): Buffer => {
  const body = Buffer.concat([Buffer.from([0]), timestampDelta, offsetDelta, ...tail]);
  return Buffer.concat([varint(BigInt(body.length)), body]);
};
const plainTail = [chunk(null), chunk('value'), varint(0n)];
const zero = varint(0n);
const overlong = Buffer.from([...Array.from({ length: 11 }, () => 0xff), 0]);

test.each([
  [
    'a header without a name',
    record(zero, zero, [chunk(null), chunk('v'), varint(1n), chunk(null), chunk('x')]),
    'no name',
  ],
  ['fewer than no headers', record(zero, zero, [chunk(null), chunk('v'), varint(-3n)]), '-3 headers'],
  [
    'two thousand million headers',
    record(zero, zero, [chunk(null), chunk('v'), varint(2_000_000_000n)]),
    'beyond its batch',
  ],
  [
    'a value with a length below null',
    record(zero, zero, [chunk(null), varint(-2n), varint(0n)]),
    'length of -2',
  ],
  [
    'a value longer than its record',
    record(zero, zero, [chunk(null), varint(2_000_000_000n), varint(0n)]),
    'extends beyond it',
  ],
  [
    'a key longer than its record',
    record(zero, zero, [varint(1_000n), chunk('v'), varint(0n)]),
    'extends beyond it',
  ],
  ['an offset before its batch', record(zero, varint(-1n), plainTail), 'offset 499'],
  ['an offset after its batch', record(zero, varint(1n), plainTail), 'offset 501'],
  ['a number without an end', record(zero, overlong, plainTail), 'longer than 32 bits'],
  ['a time without an end', record(overlong, zero, plainTail), 'longer than 64 bits'],
  ['a time in the year 292278994', record(varint(2n ** 62n), zero, plainTail), 'beyond any calendar'],
  [
    'bytes after its headers',
    record(zero, zero, [...plainTail, Buffer.from([7])]),
    'does not end where it says',
  ],
])('bad input 65 a record with %s', async (_, records, reason) => {
  const found = await readOne(batchOf(records, 1));
  expectLocated(found);
  expect((found as Error).message).toContain(reason);
});

test('a null value, an empty value and a header without a value are what Kafka says they are', async () => {
  const tail = [chunk(null), chunk(null), varint(2n), chunk('a'), chunk(null), chunk(''), chunk('')];
  const [found] = (await readOne(batchOf(record(varint(-1n), zero, tail), 1))) as LogRecord[];
  expect([found?.size, found?.value.length, found?.timestamp]).toEqual([0, 0, 1_789_999_999_999]);
  expect({ ...found?.headers }).toEqual({ a: undefined, '': Buffer.alloc(0) });
});

test('bad input 66 a small batch that says it holds millions of records is refused before they take memory', async () => {
  const before = process.memoryUsage().heapUsed;
  const zeros = Buffer.alloc(decompressedBytesMax / 2);
  const smallest = record(zero, zero, [chunk(null), chunk(null), varint(0n)]);
  const many = Buffer.concat(Array.from({ length: 600_000 }, () => smallest));
  for (const records of [zeros, many])
    for (const codec of codecNames.keys()) {
      const batch = batchOf(records, 600_000, codec);
      batch.writeBigInt64BE(0n, 0);
      batch.writeInt32BE(asked + 400, 23);
      expectLocated(await readOne(seal(batch)));
      batch.writeInt32BE(0x7fffffff, 57);
      expectLocated(await readOne(seal(batch)));
    }
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 * 1024 * 1024);
});

test.each(codecNames.slice(1))(
  'bad input 67 a bomb in %s is an error with its place, and the other partition is read',
  async (codec) => {
    const { records, count } = recordsSection([Buffer.from('one')]);
    const bomb = Buffer.alloc(decompressedBytesMax + 1);
    const [bad, good] = await read([batchOf(bomb, 1, codecNames.indexOf(codec)), batchOf(records, count)]);
    expectLocated(bad);
    expectWhole(good as LogRecord[], count);
  },
);

test('bad input 70 a batch that is not snappy is fetched again and again for hours, and other batches are still read', async () => {
  const { records, count } = recordsSection([Buffer.from('one')]);
  const snappy = codecNames.indexOf('snappy');
  // Claims to become 80 bytes, and begins with a copy from before its start: a trap inside the WebAssembly.
  const noise = Buffer.concat([Buffer.from([0x50, 0xff]), Buffer.alloc(200, 0xa7)]);
  const bad = recordBatch({ records: noise, count: 1 }, { now: 0, codec: snappy });
  bad.writeBigInt64BE(BigInt(asked), 0);
  for (let second = 0; second < 12_000; second++) {
    const found = await readOne(bad);
    if (second % 1_000 === 0) expectLocated(found);
  }
  expectWhole((await readOne(batchOf(records, count, snappy))) as LogRecord[], count);
});

test('bad input 68 batches that overlap, go back, or lie beyond the end of the log are not taken', async () => {
  const { records, count } = recordsSection([Buffer.from('one'), Buffer.from('two')]);
  const at = (offset: number) => batchOf(records, count, 0, offset);
  for (const offsets of [[500, 501], [500, 499], [500, 500], [497], [999], [500, 1_500], [2 ** 53]])
    expectLocated(await readOne(Buffer.concat(offsets.map(at))));
  // Offsets 499 and 500: Kafka sends whole batches, and only the requested offsets are taken.
  const whole = (await readOne(at(499))) as LogRecord[];
  expect(whole.map(({ offset }) => offset)).toEqual([500]);
  // Compaction leaves gaps.
  const gap = (await readOne(Buffer.concat([at(510), at(998)]))) as LogRecord[];
  expect(gap.map(({ offset }) => offset)).toEqual([510, 511, 998, 999]);
});

const control = (type: 0 | 1, producerId: number, baseOffset: number): Buffer => {
  const key = `\0\0\0${String.fromCharCode(type)}`;
  const batch = batchOf(
    record(zero, zero, [chunk(key), chunk('\0\0\0\0\0\0'), varint(0n)]),
    1,
    0,
    baseOffset,
  );
  batch.writeInt16BE(0x30, 21);
  batch.writeBigInt64BE(BigInt(producerId), 43);
  return seal(batch);
};
const transactional = (producerId: number, baseOffset: number): Buffer => {
  const { records, count } = recordsSection([Buffer.from('one')]);
  const batch = batchOf(records, count, 0, baseOffset);
  batch.writeInt16BE(0x10, 21);
  batch.writeBigInt64BE(BigInt(producerId), 43);
  return seal(batch);
};

test('records of aborted transactions are left out, those of committed ones and of others are not', async () => {
  const log = [
    transactional(7, 500),
    transactional(8, 501),
    control(0, 7, 502),
    transactional(7, 503),
    control(1, 7, 504),
    control(1, 8, 505),
  ];
  const [found] = await read([Buffer.concat(log)], [{ producerId: 7, first: 500 }]);
  expect((found as LogRecord[]).map(({ offset }) => offset)).toEqual([501, 503]);
});

test('bad input 69 a damaged control batch is an error: the transaction that it ends would be left out with all that follows', async () => {
  const damaged = control(0, 7, 501);
  damaged[70] = (damaged[70] as number) ^ 1;
  const empty = control(0, 7, 501).subarray(0, 61);
  empty.writeInt32BE(61 - 12, 8);
  for (const bad of [damaged, seal(Buffer.from(empty))]) {
    const found = await readOne(Buffer.concat([transactional(8, 500), bad, transactional(8, 502)]));
    expectLocated(found);
    expect((found as Error).message).toContain('the control batch is damaged');
  }
});

test('a handler hears of a batch that cannot be read even when it is the first, so that it can say which partition stands still', async () => {
  const damaged = batchOf(recordsSection([Buffer.from('one')]).records, 9);
  const args = { rackId: wholeBatches, topics: [] };
  const { responses } = await protocol({ version: 11 })(args).response.decode(responseOf([damaged]));
  const { messages } = responses[0]?.partitions[0] ?? { messages: [] };
  let eachBatch: (payload: object) => Promise<void> = async () => {};
  const nothing = async () => {};
  const consumer = {
    ...{ events: {}, on: nothing, connect: nothing, subscribe: nothing, seek: nothing, stop: nothing },
    disconnect: nothing,
    run: async (run: { eachBatch: typeof eachBatch }) => {
      eachBatch = run.eachBatch;
    },
  };
  const heard: string[] = [];
  const handled = Promise.withResolvers<void>();
  await readLog(
    { consumer: () => consumer } as unknown as Kafka,
    { groupId: 'g', topics: ['sales'], concurrency: 1 },
    {
      onBatch: async ({ topic, partition, records }) => {
        heard.push(`${topic}/${partition}`);
        records.ahead(1);
        return { next: 0 };
      },
      onAssigned: async () => [],
      onCrash: (error) => {
        heard.push(error.message);
        handled.resolve();
      },
    },
  );
  await eachBatch({
    batch: { topic: 'sales', partition: 0, fetchedOffset: String(asked), messages, lastOffset: () => '508' },
    ...{ heartbeat: nothing, isRunning: () => true, isStale: () => false, resolveOffset: () => {} },
  });
  await handled.promise;
  expect(heard[0]).toBe('sales/0');
  expect(heard[1]).toContain('cannot read offsets 500 to 508 of sales, partition 0');
});
