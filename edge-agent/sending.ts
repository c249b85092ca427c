import type { Control } from '@branchline/contracts/downlink.ts';
import { joinFrame } from '@branchline/contracts/frame.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type { Random } from '@branchline/kernel/random.ts';
import { createLinkLog } from './core/link-log.ts';
import type { Source } from './core/outbox/source.ts';
import {
  createOutbox,
  type Outbox,
  type OutboxEffect,
  type OutboxInput,
  type OutboxSettings,
} from './core/outbox/state.ts';
import { describe, step, takeChanged } from './core/outbox.ts';
import type { SendingFigures, Session } from './core/status.ts';
import type { FrameAnswer, StoreFigures } from './core/store-port.ts';
import type { Uplink, UplinkHandlers } from './io/mqtt-uplink.ts';
import type { Store } from './io/store-thread.ts';
import { createReporting } from './reporting.ts';

/** Runs the outbox: carries its inputs from store, uplink and clock to it, and its effects out. */

export type SendingPorts = {
  store: Store;
  openUplink(handlers: UplinkHandlers): Uplink;
  figures(): StoreFigures;
  clock: Clock;
  random: Random;
  log: Log;
};
export type SendingSettings = Omit<OutboxSettings, 'bootAt'> & {
  session: Session;
  statusIntervalMs: number;
};

const tickEveryMs = 50;
const keepEveryMs = 250;
/** At a stop, frames in flight get this long to be receipted. */
const receiptGraceMs = 1_000;
const receiptPollMs = 20;

const silenceReason = (silentMs: number): string =>
  `no receipt for ${Math.round(silentMs / 1_000)} s although the link is up: check that a bridge serves this site's shard and is connected to the broker`;

/** All effects but `publish`, which needs the frame at hand. */
const perform = (
  effect: OutboxEffect,
  { store, log }: SendingPorts,
  { reconnect, report }: { reconnect: Uplink['reconnect']; report(): void },
): void => {
  if (effect.do === 'read') store.send({ kind: 'frame', ...effect });
  else if (effect.do === 'new-epoch') store.send({ kind: 'new-epoch', ...effect });
  else if (effect.do === 'find') store.send({ kind: 'find', ...effect });
  else if (effect.do === 'alarm') log.warn(effect, 'alarm');
  else if (effect.do === 'reconnect') reconnect(silenceReason(effect.silentMs));
  else if (effect.do !== 'publish') report();
};

const frameOf = (
  { site, agent }: Session,
  { stream, epoch }: Source,
  { sent, lines }: FrameAnswer,
): Uint8Array | undefined => {
  if (sent === undefined || lines === undefined) return undefined;
  const { gzip, ...sizes } = lines;
  const [first, last] = sent;
  const count = last - first + 1;
  return joinFrame({ v: 1, site, agent, stream, epoch, first, count, ...sizes }, gzip);
};

const inputOf = (control: Control): OutboxInput =>
  control.kind === 'applied-mark' ? { kind: 'mark', mark: control } : { kind: 'replay', request: control };

const untilReceipted = async (outbox: Outbox, uplink: Uplink, clock: Clock): Promise<void> => {
  const until = clock.monotonic() + receiptGraceMs;
  while (outbox.flights.size > 0 && uplink.isUp() && clock.monotonic() < until)
    await new Promise((resolve) => setTimeout(resolve, receiptPollMs));
};

const figuresOf = ({ counters, silence }: Outbox, uplink: Uplink, unreadable: number): SendingFigures => ({
  ...counters,
  unreadable,
  linkUp: uplink.isUp(),
  briefLinks: uplink.briefLinks(),
  reconnects: silence.reconnects,
});

export const startSending = (settings: SendingSettings, ports: SendingPorts) => {
  const { store, clock, log } = ports;
  const { session } = settings;
  const outbox = createOutbox({ ...settings, bootAt: session.bootAt }, store.opened.sources, ports.random);
  const linkLog = createLinkLog(clock, log);
  let unreadable = 0;

  const advance = (input: OutboxInput): OutboxEffect[] => {
    const effects = step(outbox, input, clock.monotonic(), uplink.isCongested());
    const report = () => void reporting.report('alive');
    for (const effect of effects) perform(effect, ports, { reconnect: uplink.reconnect, report });
    return effects;
  };

  const onFrame = (answer: FrameAnswer) => {
    const source = outbox.flights.get(answer.id)?.source;
    const effects = advance({ kind: 'frame-read', answer });
    if (source === undefined || !effects.some((effect) => effect.do === 'publish')) return;
    const frame = frameOf(session, source, answer);
    if (frame !== undefined) uplink.publishFrame(frame);
  };

  const uplink = ports.openUplink({
    onUp: (packetBytesMax) => {
      linkLog.onUp();
      advance({ kind: 'link-up', packetBytesMax });
      void reporting.report('birth');
    },
    onDown: (reason) => {
      linkLog.onDown(reason);
      advance({ kind: 'link-down' });
    },
    onReceipt: (receipt) => void advance({ kind: 'receipt', receipt }),
    onControl: (control) => void advance(inputOf(control)),
    onUnreadable: (topic) => {
      if (unreadable++ === 0)
        log.warn({ topic }, 'ignored a message that breaks the contract; further ones are only counted');
    },
  });
  const reporting = createReporting(outbox, { ...ports, uplink }, settings);

  const keepPositions = () => {
    const positions = takeChanged(outbox);
    if (positions.length > 0) store.send({ kind: 'keep', positions });
  };
  const timers = [
    setInterval(() => advance({ kind: 'tick' }), tickEveryMs),
    setInterval(keepPositions, keepEveryMs),
    setInterval(() => void reporting.reportIfDue(), settings.statusIntervalMs),
  ];

  return {
    advance,
    onFrame,
    oldest: reporting.oldest,
    sources: () => describe(outbox),
    counters: () => figuresOf(outbox, uplink, unreadable),
    stop: async (): Promise<void> => {
      await untilReceipted(outbox, uplink, clock);
      await reporting.report('stopping');
      for (const timer of timers) clearInterval(timer);
      await uplink.close();
      keepPositions();
    },
  };
};
