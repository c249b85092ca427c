import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { kafkaTopics } from '@branchline/contracts/topics.ts';
import { createKafka } from '@branchline/drivers/kafka/client.ts';
import type { Component } from '@branchline/local/component.ts';
import pg from 'pg';
import { copyFolder } from '../faults/machine-room.ts';
import { until } from '../world/until.ts';
import { type FaultKind, signal } from './strike.ts';
import type { World } from './world.ts';

/** Servers that crash, lose their state, or are changed by an operator. */

/** Ends a server, waits, and starts it again. Its supervisor would restart it too, but the pause is part of the fault. */
const down = async (
  world: World,
  component: Component,
  stop: () => Promise<unknown>,
  work: () => Promise<unknown>,
) => {
  world.unwatch(component);
  await stop();
  try {
    await work();
  } finally {
    await world.startAgain(component);
  }
};

const crash = async (component: Component, name: NodeJS.Signals) => {
  const { exited } = component;
  await signal(component, name);
  await exited;
};

const backupOf = ({ folder }: World) => join(folder, 'backup');

/** The copy that a later fault restores. */
export const backUp = async (world: World): Promise<void> => {
  const { component, dataDir } = world.postgres;
  await down(
    world,
    component,
    () => component.stop(),
    () => copyFolder(dataDir, backupOf(world)),
  );
};

const withBooks = async <T>(world: World, work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: world.postgres.ownerUrl });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

const partitionsMax = 8;

const withAdmin = async (
  world: World,
  work: (admin: ReturnType<ReturnType<typeof createKafka>['admin']>) => Promise<void>,
) => {
  const admin = createKafka({ brokers: [world.kafka.address], clientId: 'campaign' }).admin();
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.disconnect();
  }
};

const recreate = async (world: World, topic: string): Promise<void> => {
  await withAdmin(world, async (admin) => {
    await admin.deleteTopics({ topics: [topic] });
    await until('the topic is gone', async () => !(await admin.listTopics()).includes(topic), {
      everyMs: 100,
    });
  });
  // Kafka refuses the name until it has forgotten the old topic everywhere.
  await until(
    'the topic is there again',
    async () => {
      try {
        await world.setUp(world.partitions());
        return true;
      } catch {
        return false;
      }
    },
    { everyMs: 500 },
  );
};

export const serverFaults: FaultKind[] = [
  {
    ...{ name: 'broker-killed', touches: 'broker', about: 'kill -9 of the broker, which loses its state' },
    strike: async (world) => {
      await signal(world.mqtt.component, 'SIGKILL');
      return { detail: 'broker' };
    },
  },
  {
    ...{ name: 'kafka-killed', touches: 'kafka', about: 'kill -9 of Kafka, down for 1 to 8 s' },
    strike: async (world, { wait }) => {
      const { component } = world.kafka;
      let time = '';
      await down(
        world,
        component,
        () => crash(component, 'SIGKILL'),
        async () => {
          time = await wait(1, 8);
        },
      );
      return { detail: `down for ${time}` };
    },
  },
  {
    ...{
      name: 'postgres-crashed',
      touches: 'postgres',
      about: 'PostgreSQL is stopped "immediate", down for 1 to 8 s',
    },
    strike: async (world, { wait }) => {
      const { component } = world.postgres;
      let time = '';
      // SIGQUIT is PostgreSQL's "immediate" shutdown: no checkpoint, recovery at the next start.
      await down(
        world,
        component,
        () => crash(component, 'SIGQUIT'),
        async () => {
          time = await wait(1, 8);
        },
      );
      return { detail: `down for ${time}` };
    },
  },
  {
    ...{
      name: 'backends-terminated',
      touches: 'postgres',
      about: 'all connections of the hubs are terminated, five times',
    },
    strike: async (world, { wait }) => {
      let ended = 0;
      for (let i = 0; i < 5; i++) {
        ended += await withBooks(world, async (client) => {
          const { rowCount } = await client.query(
            `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'branchline_hub'`,
          );
          return rowCount ?? 0;
        });
        await wait(0.2, 1.5);
      }
      return { detail: `${ended} connections` };
    },
  },
  {
    ...{
      name: 'topic-recreated',
      touches: 'kafka',
      isAlone: true,
      about: 'the topic of the sales is deleted and created again, empty',
    },
    strike: async (world, { oneOf }) => {
      const topics = kafkaTopics(world.topicPrefix);
      const topic = oneOf([topics.pos, topics.stock]);
      await recreate(world, topic);
      return { detail: topic };
    },
  },
  {
    ...{
      name: 'partitions-added',
      touches: 'kafka',
      isAlone: true,
      about: 'the topics get one more partition',
    },
    strike: async (world) => {
      if (world.partitions() >= partitionsMax) return { detail: `${partitionsMax} already` };
      await world.setUp(world.partitions() + 1);
      return { detail: `now ${world.partitions()}` };
    },
  },
  {
    ...{
      name: 'books-restored',
      touches: 'postgres',
      isAlone: true,
      about: 'PostgreSQL is restored from an older copy, under running hubs',
    },
    strike: async (world) => {
      const { component, dataDir } = world.postgres;
      if (!existsSync(backupOf(world))) await backUp(world);
      await down(
        world,
        component,
        () => component.stop(),
        () => copyFolder(backupOf(world), dataDir),
      );
      return { detail: 'older copy', wentBack: true };
    },
  },
];
