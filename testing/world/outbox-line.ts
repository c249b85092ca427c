import { frameRawBytesMax } from '@branchline/edge-agent/core/outbox/line.ts';
import {
  createOutbox,
  type Outbox,
  type OutboxEffect,
  type OutboxInput,
} from '@branchline/edge-agent/core/outbox/state.ts';
import { step } from '@branchline/edge-agent/core/outbox.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import { current, earlier, recorded } from './outbox-inputs.ts';

/**
 * For tests: an outbox on a line of a given throughput, with its own clock. What is published waits in a buffer that nobody
 * sees, as in kernels and routers, and is lost when the link breaks. The broker ends connections that bring no whole packet
 * within a keepalive, and those with packets that are too large.
 */
export type LineWorld = {
  bytesPerSecond: number;
  roundTripMs: number;
  /** Compressed size, by seq of the backlog. */
  eventBytes: (seq: number) => number;
  backlog: number;
  /** The size of a frame as a share of its events'. */
  compression?: number;
  packetBytesMax?: number;
  /** MQTT 5: the broker states its limit. */
  statesLimit?: boolean;
};

const keepaliveMs = 30_000;
const reconnectMs = 1_000;
const stepMs = 50;

type Packet = { bytes: number; left: number; first: number; last: number; epoch: string };

export class OutboxLine {
  readonly world: LineWorld;
  readonly outbox: Outbox;
  readonly alarms: string[] = [];
  readonly #sent: Packet[] = [];
  readonly #later: { at: number; run(): void }[] = [];
  now = 0;
  crossedBytes = 0;
  recordedBytes = 0;
  breaks = 0;
  /** Frames are lost behind the broker, and the link stays up. */
  bridgeIsDown = false;
  #wholePacketAt = 0;
  #live = 0;

  constructor(world: LineWorld) {
    this.world = world;
    const settings = {
      windowFrames: 40,
      receiptTimeoutMs: 5_000,
      backoffCapMs: 15_000,
      receiptSilenceMs: 180_000,
      bootAt: 0,
    };
    const backlog = { recorded: [], appliedTo: 0, releasedTo: 0, highest: world.backlog };
    this.outbox = createOutbox(settings, [{ stream: 'pos', epoch: earlier, ...backlog }], seededRandom(7));
    this.#linkUp();
  }

  get recordedEvents(): number {
    return this.outbox.sources.get(`pos/${earlier}`)?.recorded.size ?? 0;
  }

  /** A till sells once. */
  sell(): void {
    this.#give({ kind: 'accepted', stream: 'pos', epoch: current, highest: ++this.#live });
  }

  get waitingSales(): number {
    return this.#live - (this.outbox.sources.get(`pos/${current}`)?.recorded.size ?? 0);
  }

  breakLink(): void {
    this.breaks++;
    this.#sent.length = 0;
    this.#later.length = 0;
    this.#give({ kind: 'link-down' });
    this.#later.push({ at: this.now + reconnectMs, run: () => this.#linkUp() });
  }

  /** Runs until the time is up, or the condition holds; then returns true. */
  run(forMs: number, until: () => boolean = () => false): boolean {
    for (const end = this.now + forMs; this.now < end; this.now += stepMs) {
      if (until()) return true;
      this.#carry();
      for (const due of this.#later.filter(({ at }) => at <= this.now)) {
        const at = this.#later.indexOf(due);
        if (at === -1) continue;
        this.#later.splice(at, 1);
        due.run();
      }
      this.#give({ kind: 'tick' });
    }
    return until();
  }

  #linkUp(): void {
    this.#wholePacketAt = this.now;
    const { packetBytesMax, statesLimit } = this.world;
    this.#give({ kind: 'link-up', packetBytesMax: statesLimit === true ? packetBytesMax : undefined });
  }

  #carry(): void {
    let room = (this.world.bytesPerSecond * stepMs) / 1_000;
    for (let head = this.#sent[0]; head !== undefined && room > 0; head = this.#sent[0]) {
      if (head.bytes > (this.world.packetBytesMax ?? Number.POSITIVE_INFINITY)) {
        this.breakLink();
        return;
      }
      const bytes = Math.min(room, head.left);
      room -= bytes;
      head.left -= bytes;
      this.crossedBytes += bytes;
      if (head.left > 0) break;
      this.#sent.shift();
      this.#wholePacketAt = this.now;
      this.#later.push({ at: this.now + this.world.roundTripMs, run: () => this.#receipt(head) });
    }
    if (this.#sent.length === 0) this.#wholePacketAt = this.now;
    else if (this.now - this.#wholePacketAt > keepaliveMs) this.breakLink();
  }

  #receipt({ first, last, epoch, bytes }: Packet): void {
    if (this.bridgeIsDown) return;
    const source = this.outbox.sources.get(`pos/${epoch}`);
    if (source?.recorded.has(first) === false) this.recordedBytes += bytes;
    this.#give(recorded(first, last, epoch));
  }

  #give(input: OutboxInput): void {
    for (const effect of step(this.outbox, input, this.now)) this.#perform(effect);
  }

  #perform(effect: OutboxEffect): void {
    if (effect.do === 'alarm') this.alarms.push(effect.alarm);
    if (effect.do === 'reconnect') this.breakLink();
    if (effect.do === 'read') this.#read(effect);
  }

  /** The store reads what fits; the world gives the compressed sizes of the events. */
  #read({ id, epoch, first, last, rawBytesMax }: Extract<OutboxEffect, { do: 'read' }>): void {
    const { compression = 0.25 } = this.world;
    let to = first;
    let size = this.#sizeOf(epoch, first);
    for (; to < last && (size + this.#sizeOf(epoch, to + 1)) / compression <= rawBytesMax; to++)
      size += this.#sizeOf(epoch, to + 1);
    const lines = { gzip: new Uint8Array(size), raw: Math.round(size / compression), crc: 0 };
    const answer = { id, examinedTo: to, unsendable: [], sent: [first, to] as const, lines };
    const effects = step(this.outbox, { kind: 'frame-read', answer }, this.now);
    for (const effect of effects) {
      if (effect.do !== 'publish') this.#perform(effect);
      else this.#sent.push({ bytes: size + 300, left: size + 300, first, last: to, epoch });
    }
  }

  #sizeOf(epoch: string, seq: number): number {
    return epoch === earlier ? this.world.eventBytes(seq) : 500;
  }

  get frameRawBytesMax(): number {
    return frameRawBytesMax(this.outbox.line);
  }
}
