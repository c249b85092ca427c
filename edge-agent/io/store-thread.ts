import { Worker } from 'node:worker_threads';
import type {
  AcceptResult,
  FromStore,
  NewEvent,
  OldestQuestion,
  StoredSource,
  StoreFigures,
  ToStore,
} from '../core/store-port.ts';

/** The main thread's side of the event store: promises for what has one answer, a handler for the rest. */

export type StoreEvents = {
  onMessage(message: Exclude<FromStore, { kind: 'opened' | 'refused-to-open' | 'oldest' | 'closed' }>): void;
};

export type Store = {
  opened: { sources: StoredSource[]; figures: StoreFigures };
  /** Settles when the events are synced to disk or refused. */
  accept(events: NewEvent[]): Promise<AcceptResult[]>;
  oldest(seqs: OldestQuestion['seqs']): Promise<(number | null)[]>;
  send(message: Extract<ToStore, { kind: 'frame' | 'keep' | 'new-epoch' | 'find' }>): void;
  close(): Promise<void>;
};

/** The store needs memory for one transaction and one frame; a small young generation keeps garbage low. */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 48 };

export const openStore = (script: URL, options: object, events: StoreEvents): Promise<Store> => {
  const worker = new Worker(script, { workerData: options, name: 'event-store', resourceLimits });
  const accepts = new Map<number, (results: AcceptResult[]) => void>();
  const questions = new Map<number, (acceptedAt: (number | null)[]) => void>();
  const closed = Promise.withResolvers<void>();
  let nextId = 1;
  const post = (message: ToStore) => worker.postMessage(message);

  const storeOf = (opened: Store['opened']): Store => ({
    opened,
    accept: (newEvents) => {
      const id = nextId++;
      return new Promise((resolve) => {
        accepts.set(id, resolve);
        post({ kind: 'accept', id, events: newEvents });
      });
    },
    oldest: (seqs) => {
      const id = nextId++;
      return new Promise((resolve) => {
        questions.set(id, resolve);
        post({ kind: 'oldest', id, seqs });
      });
    },
    send: post,
    close: () => {
      post({ kind: 'close' });
      return closed.promise;
    },
  });

  return new Promise((resolve, reject) => {
    worker.on('message', (message: FromStore) => {
      switch (message.kind) {
        case 'opened':
          return resolve(storeOf(message));
        case 'refused-to-open':
          return reject(new Error(message.detail));
        case 'oldest':
          questions.get(message.id)?.(message.acceptedAt);
          questions.delete(message.id);
          return;
        case 'closed':
          return closed.resolve();
        case 'committed':
          // The outbox learns of the events before the tills do.
          events.onMessage(message);
          for (const { id, results } of message.answers) {
            accepts.get(id)?.(results);
            accepts.delete(id);
          }
          return;
        default:
          return events.onMessage(message);
      }
    });
    worker.on('error', (error) => {
      reject(error);
      events.onMessage({ kind: 'failed', detail: error.message });
    });
    worker.on('exit', () => closed.resolve());
  });
};
