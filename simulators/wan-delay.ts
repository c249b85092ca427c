import type { Socket } from 'node:net';

type Waiting = { at: number; chunk: Buffer | undefined };

/**
 * Forwards bytes from one socket to another after `delayMs()`, in order and as fast as they came: a long line, not a slow
 * one. The sender is paused when too much is in transit or the receiver does not read.
 */
export const delayLine = (
  from: Socket,
  to: Socket,
  { delayMs, bytesMax = 8 * 1024 * 1024 }: { delayMs: () => number; bytesMax?: number },
): void => {
  const waiting: Waiting[] = [];
  let waitingBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let blocked = false;

  const deliver = () => {
    timer = undefined;
    while (!blocked && !to.destroyed) {
      const head = waiting[0];
      if (head === undefined) break;
      const wait = head.at - performance.now();
      if (wait > 0) {
        timer = setTimeout(deliver, wait);
        break;
      }
      waiting.shift();
      if (head.chunk === undefined) {
        to.end();
        break;
      }
      waitingBytes -= head.chunk.length;
      blocked = !to.write(head.chunk);
    }
    if (from.isPaused() && waitingBytes < bytesMax / 2) from.resume();
  };
  const enter = (chunk: Buffer | undefined) => {
    waiting.push({ at: performance.now() + delayMs(), chunk });
    waitingBytes += chunk?.length ?? 0;
    if (waitingBytes > bytesMax) from.pause();
    if (timer === undefined) deliver();
  };

  from.on('data', enter);
  from.on('end', () => enter(undefined));
  to.on('drain', () => {
    blocked = false;
    if (timer === undefined) deliver();
  });
  to.on('close', () => clearTimeout(timer));
};
