import kafkaProduce from 'kafkajs/src/protocol/requests/produce/index.js';
import { expect, test } from 'vitest';
import type { RecordGroup } from './encode.ts';
import { encodeProduce, groupMessage, type ProduceArguments, teachRecordGroups } from './produce-request.ts';

type MakeRequest = (args: object) => { request: { encode(): Promise<{ buffer: Buffer }> } };
type Protocol = (args: { version: number }) => MakeRequest;
const hook = kafkaProduce as { protocol: Protocol };
const original = hook.protocol;
teachRecordGroups();

const now = 1_790_000_000_000;
const groups: RecordGroup[] = [
  { key: 'store-0001', values: ['a', 'b'].map((text) => Buffer.from(text)), headers: { from: 'x' } },
  { key: undefined, values: [Buffer.from('c')], headers: {} },
];
const request = (messages: object[]): ProduceArguments => ({
  acks: -1,
  timeout: 30_000,
  topicData: [
    { topic: 'sales', partitions: [{ partition: 3, messages: messages as never }] },
    { topic: 'stock', partitions: [] },
  ],
});

test('a request with record groups is byte for byte the one that kafkajs makes of the same records', async () => {
  const plain = groups.flatMap(({ key, values, headers }) =>
    values.map((value) => ({ key: key ?? null, value, headers, timestamp: now })),
  );
  for (const version of [3, 4, 5, 6, 7]) {
    const byKafkajs = await original({ version })(request(plain)).request.encode();
    expect(encodeProduce(request(groups.map(groupMessage)), now)).toEqual(byKafkajs.buffer);
  }
});

test('kafkajs still encodes ordinary messages, and would throw on a group rather than send it as one record', async () => {
  const made = hook.protocol({ version: 7 });
  const plain = request([{ key: 'store-0001', value: 'a', timestamp: now, headers: {} }]);
  const byKafkajs = await original({ version: 7 })(plain).request.encode();
  expect((await made(plain).request.encode()).buffer).toEqual(byKafkajs.buffer);
  const grouped = request(groups.map(groupMessage));
  expect((await made(grouped).request.encode()).buffer.length).toBeGreaterThan(0);
  await expect(original({ version: 7 })(grouped).request.encode()).rejects.toThrow();
});

test('kafkajs is taught once, however often a producer is opened', () => {
  const taught = hook.protocol;
  teachRecordGroups();
  expect(hook.protocol).toBe(taught);
});
