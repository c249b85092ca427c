import { problem } from '@branchline/contracts/errors.ts';
import { condemnedParcel, halves, type Parcel } from './parcel.ts';

/**
 * The queue of one topic: parcels wait, go out in sends, and stay counted until Kafka has answered. One send is one batch
 * per partition, so a bound on the send bounds every batch in it.
 *
 * After a failure only one send is in flight until one succeeds, so that not everything that waits is tried on a Kafka
 * that is unavailable.
 */
export type CollectorLimits = { sendBytesMax: number; sendsInFlightMax: number };

/** The least that is kept of a dead letter that Kafka refuses in every size. */
const evidenceBytesMin = 256;

export class Collector {
  readonly #limits: CollectorLimits;
  #waiting: Parcel[] = [];
  /** Sends that failed or were halved: they go first, in the same grouping, to keep the order. */
  #retries: Parcel[][] = [];
  #keys = new Set<string>();
  #inFlight = 0;
  #failing = false;
  #bytes = 0;

  constructor(limits: CollectorLimits) {
    this.#limits = limits;
  }

  /** Bytes that wait or are in flight. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** False when the same parcel is queued or in flight: its receipt serves both. */
  add(parcel: Parcel): boolean {
    if (parcel.dedupKey !== '') {
      if (this.#keys.has(parcel.dedupKey)) return false;
      this.#keys.add(parcel.dedupKey);
    }
    this.#waiting.push(parcel);
    this.#bytes += parcel.bytes;
    return true;
  }

  /** Replaces an older parcel with the same dedup key that still waits; otherwise like `add`. */
  addNewest(parcel: Parcel): boolean {
    const index = this.#waiting.findIndex((older) => older.dedupKey === parcel.dedupKey);
    const older = this.#waiting[index];
    if (older === undefined) return this.add(parcel);
    this.#waiting[index] = parcel;
    this.#bytes += parcel.bytes - older.bytes;
    return true;
  }

  /** The parcels of the next send; undefined when there is none or enough are in flight. */
  next(): Parcel[] | undefined {
    if (this.#inFlight >= (this.#failing ? 1 : this.#limits.sendsInFlightMax)) return undefined;
    const send = this.#retries.shift() ?? this.#gather();
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

  /** Kafka did not answer, or refused for now: the same parcels go again. */
  failed(send: Parcel[]): void {
    this.#inFlight--;
    this.#failing = true;
    this.#retries.unshift(send);
  }

  /**
   * Kafka will never take this send as it is. Several parcels become two sends, a parcel of several records two parcels.
   * A single record is given up; the dead letter that is returned has to be sent in its place.
   */
  tooLarge(send: Parcel[]): Parcel | undefined {
    this.#inFlight--;
    this.#failing = false;
    const only = send[0] as Parcel;
    if (send.length > 1) {
      const middle = send.length >> 1;
      this.#retries.unshift(send.slice(0, middle), send.slice(middle));
      return undefined;
    }
    if (only.values.length > 1) {
      const both = halves(only);
      this.#forget(only);
      for (const half of both) this.#remember(half);
      this.#retries.unshift(...both.map((half) => [half]));
      return undefined;
    }
    this.#forget(only);
    if (only.topic === 'deadletter') {
      const shorter = shortened(only);
      if (shorter !== undefined) {
        this.#remember(shorter);
        this.#retries.unshift([shorter]);
      }
      return undefined;
    }
    return only.topic === 'status' ? undefined : tooLargeDeadLetter(only);
  }

  #remember(parcel: Parcel): void {
    if (parcel.dedupKey !== '') this.#keys.add(parcel.dedupKey);
    this.#bytes += parcel.bytes;
  }

  #forget(parcel: Parcel): void {
    this.#keys.delete(parcel.dedupKey);
    this.#bytes -= parcel.bytes;
  }
}

/** An event too large for its topic is most likely too large for the dead-letter topic as well, where it is cut. */
const tooLargeDeadLetter = (parcel: Parcel): Parcel | undefined => {
  const { from, confirms } = parcel;
  const value = parcel.values[0] as Uint8Array;
  if (from === undefined || confirms === undefined) return undefined;
  const why = problem('record-too-large', `an event of ${value.length} bytes`);
  return condemnedParcel({ ...from, stream: confirms.stream, epoch: confirms.epoch }, confirms, why, value);
};

/** Half of the evidence is better than a branch that is blocked. */
const shortened = (parcel: Parcel): Parcel | undefined => {
  const value = parcel.values[0] as Uint8Array;
  if (value.length <= evidenceBytesMin) return undefined;
  const kept = value.subarray(0, value.length >> 1);
  return { ...parcel, values: [kept], bytes: parcel.bytes - (value.length - kept.length) };
};
