import { Worker } from 'node:worker_threads';

/**
 * Loaded into an agent as a control: tills are answered at once, and the store gets their events a moment later. An agent
 * killed in between loses what it accepted, which a campaign must notice (E1).
 */
const lateMs = 1_000;

type Accept = { kind: 'accept'; id: number; events: object[] };
const isAccept = (message: unknown): message is Accept => (message as Accept)?.kind === 'accept';

const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (message: unknown) {
  if (!isAccept(message)) return post.call(this, message);
  const { id, events } = message;
  const results = events.map(() => ({ outcome: 'accepted', epoch: '', seq: 1 }));
  setImmediate(() => this.emit('message', { kind: 'committed', answers: [{ id, results }], highest: [] }));
  setTimeout(() => post.call(this, message), lateMs);
};
