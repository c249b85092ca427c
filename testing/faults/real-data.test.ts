import { hasMosquitto, installMosquitto } from '@branchline/local/mosquitto.ts';
import { describe, expect, test } from 'vitest';
import { useBackbone } from './backbone-with-data.ts';
import { duplicateFrames } from './duplicator.ts';
import { dataFolder, type Faults, hasData, type Outcome, runScenario, sites } from './scenario.ts';

/**
 * The promise, tested on real input: twelve days of sales, 31,102 lines, are in the books exactly once each, whatever breaks
 * on the way. Kafka, PostgreSQL, brokers and every service are real processes.
 */
const mosquitto = await hasMosquitto();
const totals = { lines: 31_102, invoices: 1_458, quantity: '235231', value: '530356.91' };

const backbone = useBackbone();

/** Every figure of every day is exact, nothing is in quarantine, no source has a gap, and the whole data set was there. */
const expectExact = ({ check, books }: Outcome) => {
  expect(check.disagreements).toEqual([]);
  expect(check.stalled).toBe(false);
  expect(check.equal).toBe(true);
  const { found } = check.reconciliation.total;
  expect({ lines: found.lines, invoices: found.invoices }).toEqual({
    lines: totals.lines,
    invoices: totals.invoices,
  });
  expect(books).toMatchObject({ applied: totals.invoices, quarantined: 0, conflicts: 0, holes: 0 });
};

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const restart = async (
  component: { kill(signal: NodeJS.Signals): boolean; exited: Promise<unknown>; start(): Promise<void> },
  signal: NodeJS.Signals,
  downMs = 0,
) => {
  const { exited } = component;
  expect(component.kill(signal)).toBe(true);
  await exited;
  await pause(downMs);
  await component.start();
};

/** Longer than one and a half times the bridge's MQTT keepalive, after which the broker cuts a link that is not read. */
const keepaliveSeconds = 5;
const longerThanKeepaliveMs = 9_000;

const storesOffline = async ({ stack, fed, until, agents }: Faults) => {
  await fed(0.2);
  for (const { site } of sites) await stack.wan?.set(site, { online: false });
  await fed(0.7);
  await until('events wait at the agents', async () => (await agents('pending')) > 200);
  for (const { site } of sites) await stack.wan?.set(site, { online: true });
};

const agentKilled = async ({ stack, fed }: Faults) => {
  for (const [i, { site }] of sites.entries()) {
    await fed(0.2 + 0.15 * i);
    await restart(stack.branch(site).component, 'SIGKILL');
  }
};

const bridgeKilled = async ({ stack, fed }: Faults) => {
  for (const share of [0.2, 0.4, 0.6]) {
    await fed(share);
    await restart(stack.bridge.component, 'SIGKILL');
  }
};

const brokerLosesItsMemory = async ({ stack, fed }: Faults) => {
  for (const share of [0.3, 0.6]) {
    await fed(share);
    if (stack.mqtt.component === undefined) throw new Error('the broker is not ours to kill');
    await restart(stack.mqtt.component, 'SIGKILL', 500);
  }
};

const kafkaDown = async ({ fed, until, agents, stack }: Faults) => {
  await fed(0.3);
  const { component: kafka } = backbone().kafka;
  if (kafka === undefined) throw new Error('Kafka is not ours to stop');
  await kafka.stop();
  await pause(longerThanKeepaliveMs);
  const bridge = await stack.bridge.status();
  expect(bridge).toMatchObject({ mqttUp: true, kafkaUp: false });
  await until('events wait at the agents', async () => (await agents('pending')) > 100);
  await kafka.start();
};

const postgresCrashes = async ({ fed }: Faults) => {
  for (const share of [0.25, 0.5, 0.75]) {
    await fed(share);
    const { component: postgres } = backbone().postgres;
    if (postgres === undefined) throw new Error('PostgreSQL is not ours to crash');
    // SIGQUIT is PostgreSQL's "immediate" shutdown: no checkpoint, recovery at the next start.
    await restart(postgres, 'SIGQUIT', 500);
  }
};

/** Longer than the consumer group's session timeout, so that the other hub has taken over the partitions by then. */
const longerThanSessionMs = 9_000;

const hubsRace = async ({ stack, fed, until }: Faults) => {
  const second = await stack.addHub('hub-1');
  await second.component.start();
  await fed(0.3);
  stack.hub.component.kill('SIGSTOP');
  await pause(longerThanSessionMs);
  await until('the other hub has taken over', async () => Number((await second.status())?.applied ?? 0) > 0);
  stack.hub.component.kill('SIGCONT');
};

const scenarios: [string, (faults: Faults) => Promise<void>][] = [
  ['I1 H1 nothing breaks', async () => {}],
  ['I1 H1 every store is offline for a while', storesOffline],
  ['E1 I1 each agent is killed with -9', agentKilled],
  ['B1 I1 the bridge is killed with -9 three times', bridgeKilled],
  ['E2 I1 the broker restarts and has lost its memory', brokerLosesItsMemory],
  ['B1 I1 Kafka is down for longer than the MQTT keepalive', kafkaDown],
  ['H2 I1 PostgreSQL is stopped "immediate" three times', postgresCrashes],
  ['H2 I1 two hubs race and one is paused and resumed', hubsRace],
];

const brokers = [
  ['aedes', hasData],
  ['mosquitto', hasData && mosquitto],
] as const;

for (const [broker, runnable] of brokers) {
  describe.skipIf(!runnable)(`twelve days of real sales through ${broker}`, () => {
    for (const [title, faults] of scenarios) {
      test(title, async () => {
        expectExact(
          await runScenario({
            backbone: backbone(),
            broker,
            faults,
            env: { bridge: { BRANCHLINE_MQTT_KEEPALIVE_SECONDS: String(keepaliveSeconds) } },
          }),
        );
      }, 240_000);
    }

    test('H1 I1 three of ten frames are delivered twice', async () => {
      let doubled = 0;
      const outcome = await runScenario({
        backbone: backbone(),
        broker,
        faults: async ({ stack, fed }) => {
          const duplicator = await duplicateFrames(stack, 0.3);
          await fed(1);
          await pause(1_000);
          doubled = duplicator.doubled();
          await duplicator.close();
        },
      });
      expectExact(outcome);
      // A fault that did not happen proves nothing.
      expect(doubled).toBeGreaterThan(20);
      expect(outcome.books.duplicates).toBeGreaterThan(doubled);
    }, 240_000);
  });
}

if (!hasData)
  console.warn(`SKIPPED: the real data set is not at ${dataFolder}; set BRANCHLINE_TEST_DATA to its folder`);
if (!mosquitto) console.warn(`SKIPPED: no Mosquitto on this machine; install it with: ${installMosquitto}`);
