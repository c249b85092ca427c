import { type Parcel, type TopicName, topicNames } from '../core/parcel.ts';
import { createTopicQueue, type TopicQueuePorts } from './topic-queue.ts';

export type Recording = {
  hasRoom(bytes: number): boolean;
  /** False when the same parcel waits already. */
  submit(parcel: Parcel): boolean;
  submitNewest(parcel: Parcel): boolean;
  bytes(): number;
  /** Resolves when nothing waits any more or after `withinMs`; from then on nothing is sent. */
  stop(withinMs: number): Promise<void>;
};

/**
 * The second stage: parcels wait, go to Kafka, and are handed on when Kafka has them (B1). Each topic has a queue of its
 * own, so that one that is missing or slow delays nothing else; all queues together are bounded.
 */
export const startRecording = ({
  bufferBytesMax,
  onRoom,
  ...ports
}: Omit<TopicQueuePorts, 'onDeadLetter' | 'onSettled' | 'isStopped'> & {
  bufferBytesMax: number;
  /** At least half of the buffer is free. */
  onRoom(): void;
}): Recording => {
  let stopped = false;
  let onEmpty: (() => void) | undefined;

  const onSettled = () => {
    const waiting = bytes();
    if (waiting <= bufferBytesMax / 2) onRoom();
    if (waiting === 0) onEmpty?.();
  };
  const newQueue = (name: TopicName) =>
    createTopicQueue(name, {
      ...ports,
      onDeadLetter: (deadLetter) => queueOf(deadLetter).submit(deadLetter),
      onSettled,
      isStopped: () => stopped,
    });
  type Queue = ReturnType<typeof newQueue>;
  const queues = new Map<TopicName, Queue>(topicNames.map((name) => [name, newQueue(name)]));
  const queueOf = (parcel: Parcel): Queue => queues.get(parcel.topic) as Queue;
  const bytes = () => {
    let sum = 0;
    for (const queue of queues.values()) sum += queue.bytes();
    return sum;
  };

  return {
    hasRoom: (more) => bytes() + more <= bufferBytesMax,
    submit: (parcel) => queueOf(parcel).submit(parcel),
    submitNewest: (parcel) => queueOf(parcel).submitNewest(parcel),
    bytes,
    stop: async (withinMs) => {
      if (bytes() > 0) {
        await new Promise<void>((resolve) => {
          onEmpty = resolve;
          setTimeout(resolve, withinMs);
        });
      }
      stopped = true;
      for (const queue of queues.values()) queue.stopRetrying();
    },
  };
};
