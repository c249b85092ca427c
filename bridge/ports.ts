import type { BranchAddress } from '@branchline/contracts/topics.ts';
import type { SendAnswer } from '@branchline/drivers/kafka/produce.ts';
import type { Parcel, TopicName } from './core/parcel.ts';

/** What the bridge needs of the world. `main.ts` passes the real ones; a test may replace any of them. */

export type Recorder = {
  /** One send to one topic. Never rejects. */
  record(topic: TopicName, send: Parcel[]): Promise<SendAnswer>;
  isUp(): boolean;
  close(): Promise<void>;
};

/** Asks Kafka over a new connection whether it would take records now. Never rejects. */
export type AsksKafka = () => Promise<boolean>;

/** Reads what branches publish. */
export type OpenIntake = (handlers: { onMessage(topic: string, payload: Uint8Array): void }) => {
  isUp(): boolean;
  close(): Promise<void>;
};

/** Publishes to branches over a link of its own, so that neither direction waits for the other. */
export type OpenAnswers = (handlers: { onUp(): void }) => {
  /** False when the link is down or congested; the message is not kept. */
  publish(to: BranchAddress, channel: 'receipt' | 'control', body: Uint8Array | string): boolean;
  isUp(): boolean;
  close(): Promise<void>;
};

/** Reads control messages from Kafka. `to` is the text of the address header. */
export type OpenControl = (handlers: { onMessage(to: string, body: Uint8Array): void }) => {
  /** Milliseconds since Kafka last answered the reader. */
  silentMs(): number;
  /** Readers that were replaced because they ended or Kafka no longer answered them. */
  restarts(): number;
  close(): Promise<void>;
};
