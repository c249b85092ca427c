import { join } from 'node:path';
import { kafkaTopics } from '@branchline/contracts/topics.ts';
import { createKafka } from '@branchline/drivers/kafka/client.ts';
import type { Component } from '@branchline/local/component.ts';
import { checkout } from '@branchline/local/paths.ts';
import { mustRun } from '@branchline/local/run-tool.ts';
import { environmentOf } from '@branchline/local/service.ts';
import type { Stack } from '@branchline/local/stack.ts';

/** An operator's work: make and restore backups, and set up Kafka anew. */

/** Copies a stopped server's folder; with `cp -a`, because the files belong to the account that PostgreSQL runs as. */
export const copyFolder = async (from: string, to: string): Promise<void> => {
  await mustRun(['rm', '-rf', to]);
  await mustRun(['cp', '-a', from, to]);
};

export const whileStopped = async (component: Component, work: () => Promise<void>): Promise<void> => {
  await component.stop();
  await work();
  await component.start();
};

/** Recreates all topics, empty, as after a new installation. */
export const emptyTopics = async (stack: Stack, partitions: number): Promise<void> => {
  const topics = Object.values(kafkaTopics(stack.topicPrefix));
  const admin = createKafka({ brokers: [stack.kafka.address], clientId: 'emptier' }).admin();
  await admin.connect();
  try {
    await admin.deleteTopics({ topics });
    const gone = async () => {
      const left = await admin.listTopics();
      return topics.every((topic) => !left.includes(topic));
    };
    while (!(await gone())) await new Promise((resolve) => setTimeout(resolve, 100));
  } finally {
    await admin.disconnect();
  }
  await mustRun([process.execPath, join(checkout, 'hub/setup.ts')], {
    env: environmentOf({
      kafka: stack.kafka.address,
      topicPrefix: stack.topicPrefix,
      postgres: stack.postgres.ownerUrl,
      partitions,
    }),
  });
};
