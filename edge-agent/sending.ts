import type { Status } from '@branchline/contracts/downlink.ts';
import { joinFrame } from '@branchline/contracts/frame.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type { Random } from '@branchline/kernel/random.ts';
import { createOutbox, type OutboxInput, type OutboxSettings } from './core/outbox/state.ts';
import { describe, step, takeChanged } from './core/outbox.ts';
import { firstUnrecorded, type Life, statusMessage } from './core/status.ts';
import { settledEveryStatuses } from './core/status-sources.ts';
import type { FrameAnswer, StoreFigures } from './core/store-port.ts';
import type { Uplink, UplinkHandlers } from './io/mqtt-uplink.ts';
import type { Store } from './io/store-thread.ts';

/** The outbox at work: its inputs come from the store, the uplink and the clock, and its effects are done here. */

export type SendingPorts = {
  store: Store;
  openUplink(handlers: UplinkHandlers): Uplink;
  figures(): StoreFigures;
  clock: Clock;
  random: Random;
  log: Log;
};
export type SendingSettings = Omit<OutboxSettings, 'bootAt'> & { life: Life; statusIntervalMs: number };

const tickEveryMs = 50;
const keepEveryMs = 250;
/** At a stop, receipts that are on their way are waited for this long. */
const receiptGraceMs = 1_000;

export const startSending = (settings: SendingSettings, ports: SendingPorts) => {
  const { store, clock, log } = ports;
  const { life } = settings;
  const outbox = createOutbox({ ...settings, bootAt: life.bootAt }, store.opened.sources, ports.random);
  let unreadable = 0;

  const advance = (input: OutboxInput): boolean => {
    let publish = false;
    for (const effect of step(outbox, input, clock.monotonic(), uplink.isCongested())) {
      if (effect.do === 'read') store.send({ kind: 'frame', ...effect });
      else if (effect.do === 'publish') publish = true;
      else if (effect.do === 'new-epoch') store.send({ kind: 'new-epoch', ...effect });
      else if (effect.do === 'find') store.send({ kind: 'find', ...effect });
      else if (effect.do === 'alarm') log.warn(effect, 'alarm');
      else void say('alive');
    }
    return publish;
  };

  const onFrame = (answer: FrameAnswer) => {
    const source = outbox.flights.get(answer.id)?.source;
    const publish = advance({ kind: 'frame-read', answer });
    const { sent, lines } = answer;
    if (!publish || source === undefined || sent === undefined || lines === undefined) return;
    const { gzip, ...sizes } = lines;
    const { site, agent } = life;
    const { stream, epoch } = source;
    const [first, last] = sent;
    const header = { v: 1, site, agent, stream, epoch, first, count: last - first + 1, ...sizes } as const;
    uplink.publishFrame(joinFrame(header, gzip));
  };

  const uplink = ports.openUplink({
    onUp: () => {
      log.info({}, 'link up');
      advance({ kind: 'link-up' });
      void say('birth');
    },
    onDown: (reason) => {
      if (outbox.linkUp) log.warn({ reason }, 'link down');
      advance({ kind: 'link-down' });
    },
    onReceipt: (receipt) => void advance({ kind: 'receipt', receipt }),
    onControl: (control) =>
      void advance(
        control.kind === 'applied-mark'
          ? { kind: 'mark', mark: control }
          : { kind: 'replay', request: control },
      ),
    onUnreadable: (topic) => {
      if (unreadable++ === 0)
        log.warn({ topic }, 'a message that is not of the contract; ignored and counted');
    },
  });

  /** When the first unrecorded event of each epoch was accepted. */
  const oldest = async (): Promise<Map<string, number>> => {
    const asked = firstUnrecorded(describe(outbox));
    const answers = asked.length === 0 ? [] : await store.oldest(asked);
    return new Map(
      asked.flatMap(({ epoch }, i) => (typeof answers[i] === 'number' ? [[epoch, answers[i]] as const] : [])),
    );
  };
  /** Not counted in statuses, of which an event may cause more, but in time. */
  let turn = 0;
  let turnAt = Number.NEGATIVE_INFINITY;
  const nextTurn = (kind: Status['status']): number | undefined => {
    const now = clock.monotonic();
    if (kind !== 'birth' && now - turnAt < settledEveryStatuses * settings.statusIntervalMs) return undefined;
    turnAt = now;
    return turn++;
  };
  const say = async (kind: Status['status']): Promise<void> => {
    const times = await oldest();
    if (!uplink.isUp()) return;
    const message = statusMessage(
      kind,
      life,
      describe(outbox),
      nextTurn(kind),
      times,
      outbox.replays.progress(),
      ports.figures(),
      clock.now(),
    );
    uplink.publishStatus(JSON.stringify(message));
  };
  const keepPositions = () => {
    const positions = takeChanged(outbox);
    if (positions.length > 0) store.send({ kind: 'keep', positions });
  };

  const timers = [
    setInterval(() => advance({ kind: 'tick' }), tickEveryMs),
    setInterval(keepPositions, keepEveryMs),
    setInterval(() => void say('alive'), settings.statusIntervalMs),
  ];

  return {
    advance,
    onFrame,
    oldest,
    sources: () => describe(outbox),
    counters: () => ({ ...outbox.counters, unreadable, linkUp: uplink.isUp() }),
    stop: async (): Promise<void> => {
      const until = clock.monotonic() + receiptGraceMs;
      while (outbox.flights.size > 0 && uplink.isUp() && clock.monotonic() < until)
        await new Promise((resolve) => setTimeout(resolve, 20));
      await say('stopping');
      for (const timer of timers) clearInterval(timer);
      await uplink.close();
      keepPositions();
    },
  };
};
