import { mqttShardFilter, mqttTopic } from '@branchline/contracts/topics.ts';
import { describe, expect, test } from 'vitest';
import { bridgeUser, credentials, knows, mayPublish, maySubscribe, mayUseClientId } from './broker-rights.ts';

const own = { site: 'store-0001', agent: 'edge-1' };
const foreign = { site: 'store-0002', agent: 'edge-1' };

describe('B3 a site can publish only as itself', () => {
  test.each([
    ['its own events', mqttTopic(own, 'up'), true],
    ['its own status', mqttTopic(own, 'status'), true],
    ["another site's events", mqttTopic(foreign, 'up'), false],
    ['a receipt, which is the bridge’s to give', mqttTopic(own, 'receipt'), false],
    ['a control message', mqttTopic(own, 'control'), false],
    [
      'its own events on a shard that is not its own',
      mqttTopic(own, 'up').replace(/v1\/\d+/, 'v1/99'),
      false,
    ],
    ['something else', 'hello', false],
    ['a system topic', '$SYS/broker', false],
  ])('%s', (_, topic, allowed) => {
    expect(mayPublish(own.site, topic)).toBe(allowed);
  });

  test('its client ids begin with its name, so that it disconnects nobody else', () => {
    expect(mayUseClientId('store-0001', 'store-0001.edge-1')).toBe(true);
    expect(mayUseClientId('store-0001', 'store-0002.edge-1')).toBe(false);
    expect(mayUseClientId('store-0001', 'store-00011.edge-1')).toBe(false);
  });
});

test('a site reads its own receipts and control messages, and nothing by wildcard', () => {
  expect(maySubscribe(own.site, mqttTopic(own, 'receipt'))).toBe(true);
  expect(maySubscribe(own.site, mqttTopic(own, 'control'))).toBe(true);
  expect(maySubscribe(own.site, mqttTopic(foreign, 'receipt'))).toBe(false);
  expect(maySubscribe(own.site, mqttTopic(own, 'up'))).toBe(false);
  for (const filter of ['#', 'bl/#', 'bl/v1/+/store-0001/+/receipt', '$SYS/#'])
    expect(maySubscribe(own.site, filter)).toBe(false);
});

test('the bridge reads whole shards and answers every site, and sends no events', () => {
  for (let shard = 0; shard < 16; shard++) {
    expect(maySubscribe(bridgeUser, mqttShardFilter(shard, 'up'))).toBe(true);
    expect(maySubscribe(bridgeUser, mqttShardFilter(shard, 'status'))).toBe(true);
  }
  expect(maySubscribe(bridgeUser, '#')).toBe(false);
  expect(mayPublish(bridgeUser, mqttTopic(own, 'receipt'))).toBe(true);
  expect(mayPublish(bridgeUser, mqttTopic(own, 'up'))).toBe(false);
});

test('a password opens the account it belongs to and no other', () => {
  const known = credentials.parse({ 'store-0001': 'a'.repeat(20), [bridgeUser]: 'b'.repeat(20) });
  expect(knows(known, 'store-0001', Buffer.from('a'.repeat(20)))).toBe(true);
  expect(knows(known, 'store-0001', Buffer.from('b'.repeat(20)))).toBe(false);
  expect(knows(known, 'store-0001', undefined)).toBe(false);
  expect(knows(known, 'store-0002', Buffer.from(''))).toBe(false);
  expect(knows(known, undefined, undefined)).toBe(false);
  expect(knows(known, 'constructor', Buffer.from(''))).toBe(false);
});

test('no site can take the name of the bridge', () => {
  expect(credentials.safeParse({ '_store-1': 'a'.repeat(20) }).success).toBe(false);
  expect(mayPublish('store-0001', mqttTopic({ site: 'bridge', agent: 'edge-1' }, 'receipt'))).toBe(false);
});
