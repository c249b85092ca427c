import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKafka } from '@branchline/drivers/kafka/client.ts';
import { type Backbone, startBackbone } from '@branchline/local/backbone.ts';
import type { Component } from '@branchline/local/component.ts';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let folder: string;
let backbone: Backbone;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'branchline-backbone-'));
  backbone = await startBackbone({ dataDir: folder, logDir: folder });
});
afterAll(async () => {
  await backbone?.stop();
  rmSync(folder, { recursive: true });
});

const query = async <R extends pg.QueryResultRow>(text: string): Promise<R[]> => {
  const client = new pg.Client({ connectionString: backbone.postgres.ownerUrl('shop') });
  await client.connect();
  try {
    return (await client.query<R>(text)).rows;
  } finally {
    await client.end();
  }
};

describe('PostgreSQL', () => {
  const component = () => backbone.postgres.component as Component;

  test('keeps what the books depend on: every commit is on disk before it is confirmed', async () => {
    await backbone.postgres.ensureDatabase('shop');
    await backbone.postgres.ensureDatabase('shop');
    await query('create table sale (n int)');
    const [row] = await query(
      'select current_setting($$fsync$$) f, current_setting($$synchronous_commit$$) s',
    );
    expect(row).toEqual({ f: 'on', s: 'on' });
  });

  test.each(['SIGKILL', 'SIGQUIT', 'SIGINT'] as const)(
    'is back at the same address with its data after %s',
    async (signal) => {
      const [before] = await query<{ n: string }>(
        'insert into sale values (1) returning (select count(*) from sale) n',
      );
      component().kill(signal);
      await component().exited;
      await component().start();
      const [after] = await query<{ n: string }>('select count(*) n from sale');
      expect(Number(after?.n)).toBe(Number(before?.n) + 1);
    },
  );

  test('starts although the process id in its pid file belongs to another process by now', async () => {
    await component().stop();
    writeFileSync(join(folder, 'postgres/data/postmaster.pid'), `${process.pid}\n`);
    await component().start();
    expect(await query('select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('hides its password and its data from other users', () => {
    expect(statSync(join(folder, 'postgres/password')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'postgres/data')).mode & 0o777).toBe(0o700);
  });
});

describe('Kafka', () => {
  const component = () => backbone.kafka.component as Component;

  const inKafka = async <T>(work: (kafka: ReturnType<typeof createKafka>) => Promise<T>): Promise<T> =>
    work(createKafka({ brokers: [backbone.kafka.address], clientId: 'backbone-test' }));

  const records = () =>
    inKafka(async (kafka) => {
      const admin = kafka.admin();
      await admin.connect();
      const offsets = await admin.fetchTopicOffsets('sales');
      await admin.disconnect();
      return Number(offsets[0]?.high);
    });

  const record = () =>
    inKafka(async (kafka) => {
      const producer = kafka.producer();
      await producer.connect();
      await producer.send({ topic: 'sales', acks: -1, messages: [{ value: 'a sale' }] });
      await producer.disconnect();
    });

  test('stamps records with its own clock and creates no topic on its own', async () => {
    await inKafka(async (kafka) => {
      const admin = kafka.admin();
      await admin.connect();
      await admin.createTopics({
        topics: [{ topic: 'sales', numPartitions: 1, replicationFactor: 1 }],
        waitForLeaders: true,
      });
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: 2, name: 'sales', configNames: ['message.timestamp.type'] }],
      });
      expect(resources[0]?.configEntries[0]?.configValue).toBe('LogAppendTime');
      expect(await admin.listTopics()).toEqual(['sales']);
      await admin.disconnect();
    });
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'is back at the same address with its records after %s',
    async (signal) => {
      const before = await records();
      await record();
      component().kill(signal);
      await component().exited;
      await component().start();
      expect(await records()).toBe(before + 1);
    },
  );
});
