import type { Receipt } from '@branchline/contracts/downlink.ts';
import type { BranchAddress } from '@branchline/contracts/topics.ts';
import { type Clock, systemClock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { Histogram } from '@branchline/kernel/metrics.ts';
import { type Random, systemRandom } from '@branchline/kernel/random.ts';
import { newCounters } from './core/counters.ts';
import { bridgeMetrics } from './core/metrics.ts';
import type { Codec } from './core/route.ts';
import type { AsksKafka, OpenAnswers, OpenControl, OpenIntake, Recorder } from './ports.ts';
import { createControlStage } from './stages/control.ts';
import { createReceiptStage } from './stages/receipt.ts';
import { createReceiver } from './stages/receive.ts';
import { startRecording } from './stages/record.ts';
import { watchRecording } from './stages/watch.ts';

export type BridgePorts = {
  openIntake: OpenIntake;
  openAnswers: OpenAnswers;
  openControl: OpenControl;
  recorder: Recorder;
  asksKafka: AsksKafka;
  /** The Kafka client is stuck for good: the process must exit and be restarted. */
  abort(): void;
  codec: Codec;
  log: Log;
  clock?: Clock;
  random?: Random;
};

/** Time that sends in flight get at a stop; agents send again what was not recorded by then. */
const drainMsMax = 3_000;

/** receive → record → receipt, and control the other way. `stop` follows the order of the stages. */
export const runBridge = (
  settings: { shards: number[]; bufferBytesMax: number; stuckMs: number },
  ports: BridgePorts,
) => {
  const { shards, bufferBytesMax, stuckMs } = settings;
  const { recorder, codec, log, clock = systemClock, random = systemRandom } = ports;
  const owned: ReadonlySet<number> = new Set(shards);
  const counters = newCounters();
  const recordSeconds = new Histogram();

  const answers = ports.openAnswers({ onUp: () => receipts.flush() });
  const publish = (to: BranchAddress, receipt: Receipt) =>
    answers.publish(to, 'receipt', JSON.stringify(receipt));

  const receipts = createReceiptStage({ publish, counters });
  const recording = startRecording({
    recorder,
    bufferBytesMax,
    onRecorded: receipts.onRecorded,
    onRoom: () => receiver.onRoom(),
    clock,
    random,
    counters,
    recordSeconds,
    log,
  });
  const { asksKafka, abort } = ports;
  const watch = watchRecording({ recording, counters, asksKafka, stuckMs, clock, log, abort });
  const receiver = createReceiver({ owned, codec, recording, tell: publish, clock, counters });
  const intake = ports.openIntake({ onMessage: receiver.onMessage });

  const control = ports.openControl({
    onMessage: createControlStage({
      owned,
      publish: (to, body) => answers.publish(to, 'control', body),
      counters,
    }),
  });

  const status = () => ({
    mqttUp: intake.isUp() && answers.isUp(),
    kafkaUp: recorder.isUp(),
    bufferBytes: recording.bytes(),
    controlSilentSeconds: control.silentMs() / 1_000,
    controlRestarts: control.restarts(),
    ...counters,
  });
  return {
    status,
    metrics: () => bridgeMetrics({ ...status(), bufferBytesMax }, recordSeconds),
    stop: async () => {
      watch.stop();
      await intake.close();
      await recording.stop(drainMsMax);
      receipts.stop();
      await control.close();
      await answers.close();
      await recorder.close();
    },
  };
};
export type Bridge = ReturnType<typeof runBridge>;
