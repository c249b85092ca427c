import type { NewEvent } from './store-port.ts';

/**
 * Decides which requests the next transaction takes: whole ones, in order, until it reaches a limit. A single request may
 * exceed it; the intake's limits bound that. `store/group-commit.ts` decides when; the transaction is in `io/event-table.ts`.
 */
export const commitRowsMax = 500;
export const commitBytesMax = 1024 * 1024;

export type AcceptRequest = { id: number; events: NewEvent[] };

export class CommitQueue {
  #waiting: AcceptRequest[] = [];
  #rows = 0;

  add(request: AcceptRequest): void {
    this.#waiting.push(request);
    this.#rows += request.events.length;
  }

  get rows(): number {
    return this.#rows;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  take(): AcceptRequest[] {
    let rows = 0;
    let bytes = 0;
    let count = 0;
    for (const { events } of this.#waiting) {
      if (count > 0 && (rows >= commitRowsMax || bytes >= commitBytesMax)) break;
      rows += events.length;
      for (const event of events) bytes += event.text.length;
      count++;
    }
    this.#rows -= rows;
    return this.#waiting.splice(0, count);
  }
}
