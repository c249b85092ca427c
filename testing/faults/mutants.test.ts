import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaTopics } from '@branchline/contracts/topics.ts';
import { createKafka } from '@branchline/drivers/kafka/client.ts';
import type { Service } from '@branchline/local/service.ts';
import { describe, expect, test } from 'vitest';
import { useBackbone } from './backbone-with-data.ts';
import { askWitness, placeWitness, type Witness } from './books-witness.ts';
import { duplicateFrames } from './duplicator.ts';
import { type Faults, hasData, runScenario } from './scenario.ts';

/**
 * A checker that never fails proves nothing. The check of real-data.test.ts must fail with a hub that lacks one guard, and
 * must pass with the guard under the same conditions.
 */
const hubScript = 'testing/faults/mutant-hub.ts';

const backbone = useBackbone();

const deadLetters = 60;

/** Dead letters without a seq: only the fence prevents them from being kept twice. */
const sendDeadLetters = async ({ stack, fed }: Faults) => {
  const producer = createKafka({ brokers: [stack.kafka.address], clientId: 'dead-letters' }).producer();
  await producer.connect();
  await fed(0.05);
  for (let i = 0; i < deadLetters; i++) {
    const messages = [{ key: 'store-0001', value: `dead letter ${i}` }];
    await producer.send({ topic: kafkaTopics(stack.topicPrefix).deadletter, messages });
    await sleep(100);
  }
  await producer.disconnect();
};

/** A paused hub resumes with old records from Kafka: without a fence it would write an old position. */
const pauseRepeatedly = async ({ component }: Service) => {
  for (let i = 0; i < 10; i++) {
    await sleep(300);
    component.kill('SIGSTOP');
    await sleep(300);
    component.kill('SIGCONT');
  }
};

/**
 * Two hubs that both read everything, because each has a consumer group of its own: every slice is a race. Without a common
 * group Kafka does not assign partitions between them, so only the fence separates them.
 */
const rivalry = async (without: 'nothing' | 'fence') => {
  let witness: Witness | undefined;
  let second: Service | undefined;
  let fenced = 0;
  const outcome = await runScenario({
    backbone: backbone(),
    broker: 'aedes',
    hubScript,
    isExpectedToFail: without !== 'nothing',
    env: { hub: { BRANCHLINE_WITHOUT: without } },
    faults: async (faults) => {
      const { stack, until, fed } = faults;
      await placeWitness(stack);
      second = await stack.addHub('hub-1', {
        BRANCHLINE_WITHOUT: without,
        BRANCHLINE_GROUP: `${stack.topicPrefix}-rival`,
      });
      await second.component.start();
      await Promise.all([sendDeadLetters(faults), pauseRepeatedly(second)]);
      await fed(1);
      await until('all dead letters are kept', async () => (await askWitness(stack)).kept >= deadLetters);
      // Lets the slower of the two finish the last slices.
      await sleep(2_000);
      for (const hub of [stack.hub, second]) fenced += Number((await hub.status())?.fenced);
      witness = await askWitness(stack);
    },
  });
  return { outcome, fenced, ...(witness as unknown as Witness) };
};

describe.skipIf(!hasData)('twelve days of real sales and a hub without a guard', () => {
  test('H1 control: without deduplication frames that are delivered twice are counted twice, and the checker reports it', async () => {
    let doubled = 0;
    const { check } = await runScenario({
      backbone: backbone(),
      broker: 'aedes',
      hubScript,
      isExpectedToFail: true,
      env: { hub: { BRANCHLINE_WITHOUT: 'dedup' } },
      faults: async ({ stack, fed }) => {
        const duplicator = await duplicateFrames(stack, 0.3);
        await fed(1);
        await sleep(1_000);
        doubled = duplicator.doubled();
        await duplicator.close();
      },
    });
    expect(doubled).toBeGreaterThan(20);
    expect(check.equal).toBe(false);
    const { expected, found } = check.reconciliation.total;
    expect(found.invoices).toBeGreaterThan(expected.invoices);
    expect(found.lines).toBeGreaterThan(expected.lines);
  }, 90_000);

  test('H2 control: without the fence two rival hubs keep dead letters twice and move positions back', async () => {
    const { keptTwice, movedBack } = await rivalry('fence');
    expect(keptTwice).toBeGreaterThan(0);
    expect(movedBack).toBeGreaterThan(0);
  }, 90_000);

  test('H2 two hubs in groups of their own race for every slice, and the books stay exact', async () => {
    const { outcome, fenced, ...witness } = await rivalry('nothing');
    expect(witness).toEqual({ kept: deadLetters, keptTwice: 0, movedBack: 0 });
    expect(fenced).toBeGreaterThan(0);
    expect(outcome.check.disagreements).toEqual([]);
    expect(outcome.check.equal).toBe(true);
    expect(outcome.books).toMatchObject({ applied: 1_458, quarantined: deadLetters, conflicts: 0, holes: 0 });
  }, 90_000);
});
