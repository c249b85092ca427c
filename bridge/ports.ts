import type { BranchAddress } from '@branchline/contracts/topics.ts';
import type { Lane, Parcel } from './core/parcel.ts';

/** What the bridge needs of the world. `main.ts` gives it real ones; a test may put another one in the place of any. */

export type RecordAnswer =
  /** All in-sync replicas have it. `at` is the broker's own clock, where the topic keeps it (LogAppendTime). */
  | { kind: 'recorded'; at: number | undefined }
  /** Kafka will never take so much at once. */
  | { kind: 'too-large' }
  /** It may or may not be in Kafka; sending it again is right. `byKafka` when Kafka itself said so, and not the way to it. */
  | { kind: 'failed'; reason: string; byKafka?: boolean };

export type Recorder = {
  /** One send to the topic of the lane. Never rejects. */
  record(lane: Lane, send: Parcel[]): Promise<RecordAnswer>;
  isUp(): boolean;
  close(): Promise<void>;
};

/** Asks Kafka, over a connection that nothing else uses, whether it would take records now. Never rejects. */
export type AsksKafka = () => Promise<boolean>;

/** Reads what branches publish. */
export type OpenIntake = (handlers: { onMessage(topic: string, payload: Uint8Array): void }) => {
  isUp(): boolean;
  close(): Promise<void>;
};

/** Publishes to branches, on a link of its own, so that neither direction waits for the other. */
export type OpenAnswers = (handlers: { onUp(): void }) => {
  /** False when the link is down or clogged; the message is not kept. */
  publish(to: BranchAddress, channel: 'receipt' | 'control', body: Uint8Array | string): boolean;
  isUp(): boolean;
  close(): Promise<void>;
};

/** Reads control messages from Kafka. `to` is the text of the address header. */
export type OpenControl = (handlers: { onMessage(to: string, body: Uint8Array): void }) => {
  close(): Promise<void>;
};
