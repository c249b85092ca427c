import { randomUUID } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '@branchline/kernel/clock.ts';
import type { FromStore, ToStore } from './core/store-port.ts';
import { returnMemory } from './io/return-memory.ts';
import type { StoreOptions } from './store/ports.ts';
import { createStore } from './store.ts';

if (parentPort === null) throw new Error('store-worker.ts runs as a worker thread');
const port = parentPort;
const post = (message: FromStore, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

try {
  const store = createStore(workerData as StoreOptions, systemClock, randomUUID, post, returnMemory);
  port.on('message', (message: ToStore) => {
    store.receive(message);
    if (message.kind === 'close') port.close();
  });
} catch (error) {
  post({ kind: 'refused-to-open', detail: (error as Error).message });
  port.close();
}
