import { problem } from '@branchline/contracts/errors.ts';
import { condemnedParcel, halves, type Parcel } from './parcel.ts';

/**
 * The queue of one lane: parcels wait, go out in sends, and stay counted until Kafka has answered. One send is one batch
 * per partition, so a send that is bounded as a whole bounds every batch in it.
 *
 * After a failure only one send is on the way at a time, until one succeeds: a Kafka that is away is asked once, not by
 * everything that waits.
 */
export type CollectorLimits = { sendBytesMax: number; sendsInFlightMax: number };

/** The smallest evidence worth keeping of a record that Kafka takes in no size. */
const evidenceBytesMin = 256;

export class Collector {
  readonly #limits: CollectorLimits;
  #waiting: Parcel[] = [];
  /** Sends that failed or were halved: they go first, in the same grouping, so that order is kept. */
  #again: Parcel[][] = [];
  #marks = new Set<string>();
  #inFlight = 0;
  #failing = false;
  #bytes = 0;

  constructor(limits: CollectorLimits) {
    this.#limits = limits;
  }

  /** Bytes that wait or are on the way. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** False when the same parcel is here already: its receipt will do for both. */
  add(parcel: Parcel): boolean {
    if (parcel.mark !== '') {
      if (this.#marks.has(parcel.mark)) return false;
      this.#marks.add(parcel.mark);
    }
    this.#waiting.push(parcel);
    this.#bytes += parcel.bytes;
    return true;
  }

  /** Puts the parcel in the place of an older one with the same mark that still waits; otherwise like `add`. */
  addNewest(parcel: Parcel): boolean {
    const index = this.#waiting.findIndex((older) => older.mark === parcel.mark);
    const older = this.#waiting[index];
    if (older === undefined) return this.add(parcel);
    this.#waiting[index] = parcel;
    this.#bytes += parcel.bytes - older.bytes;
    return true;
  }

  /** The parcels of the next send, or undefined when nothing may go now. */
  next(): Parcel[] | undefined {
    if (this.#inFlight >= (this.#failing ? 1 : this.#limits.sendsInFlightMax)) return undefined;
    const send = this.#again.shift() ?? this.#gather();
    if (send !== undefined) this.#inFlight++;
    return send;
  }

  #gather(): Parcel[] | undefined {
    let count = 0;
    let bytes = 0;
    for (const parcel of this.#waiting) {
      if (count > 0 && bytes + parcel.bytes > this.#limits.sendBytesMax) break;
      bytes += parcel.bytes;
      count++;
    }
    return count === 0 ? undefined : this.#waiting.splice(0, count);
  }

  recorded(send: Parcel[]): void {
    this.#inFlight--;
    this.#failing = false;
    for (const parcel of send) this.#forget(parcel);
  }

  /** Kafka did not answer, or not with yes: the same parcels go again. */
  failed(send: Parcel[]): void {
    this.#inFlight--;
    this.#failing = true;
    this.#again.unshift(send);
  }

  /**
   * Kafka will never take this send as it is. Several parcels are tried in two sends, a parcel of several records as two
   * parcels. A single record is given up here; what is returned has to go to the dead-letter lane in its place.
   */
  tooLarge(send: Parcel[]): Parcel | undefined {
    this.#inFlight--;
    this.#failing = false;
    const only = send[0] as Parcel;
    if (send.length > 1) {
      const middle = send.length >> 1;
      this.#again.unshift(send.slice(0, middle), send.slice(middle));
      return undefined;
    }
    if (only.values.length > 1) {
      const parts = halves(only);
      this.#forget(only);
      for (const part of parts) this.#remember(part);
      this.#again.unshift(...parts.map((part) => [part]));
      return undefined;
    }
    this.#forget(only);
    if (only.lane === 'deadletter') {
      const shorter = shortened(only);
      if (shorter !== undefined) {
        this.#remember(shorter);
        this.#again.unshift([shorter]);
      }
      return undefined;
    }
    return only.lane === 'status' ? undefined : tooLargeLetter(only);
  }

  #remember(parcel: Parcel): void {
    if (parcel.mark !== '') this.#marks.add(parcel.mark);
    this.#bytes += parcel.bytes;
  }

  #forget(parcel: Parcel): void {
    this.#marks.delete(parcel.mark);
    this.#bytes -= parcel.bytes;
  }
}

/** The event itself is too large for its topic, and most likely for the dead-letter topic as well, where it is cut. */
const tooLargeLetter = (parcel: Parcel): Parcel | undefined => {
  const { from, confirms } = parcel;
  const value = parcel.values[0] as Uint8Array;
  if (from === undefined || confirms === undefined) return undefined;
  const why = problem('record-too-large', `an event of ${value.length} bytes`);
  return condemnedParcel({ ...from, stream: confirms.stream, epoch: confirms.epoch }, confirms, why, value);
};

/** Half of the evidence is better than a branch that stands still. */
const shortened = (parcel: Parcel): Parcel | undefined => {
  const value = parcel.values[0] as Uint8Array;
  if (value.length <= evidenceBytesMin) return undefined;
  const kept = value.subarray(0, value.length >> 1);
  return { ...parcel, values: [kept], bytes: parcel.bytes - (value.length - kept.length) };
};
