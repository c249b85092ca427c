import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const isFree = async (port: number): Promise<boolean> => {
  const server = createServer();
  const listening = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.once('listening', () => resolve(true));
  });
  server.listen(port, '127.0.0.1');
  if (!(await listening)) return false;
  server.close();
  await once(server, 'close');
  return true;
};

/** Below the ephemeral port ranges of Linux (from 32768) and macOS (from 49152). */
const ports = { first: 20_000, count: 12_000 };
const given = new Set<number>();
const triesMax = 1_000;

/**
 * A port of this machine with no listener, never the same one twice. The caller binds it later; by then an ephemeral port
 * could have become the local end of an outgoing connection.
 */
export const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < triesMax; tries++) {
    const port = ports.first + randomInt(ports.count);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${ports.first} and ${ports.first + ports.count}`);
};

/** The wanted port if it is free, so that bookmarks keep working; otherwise another free one. */
export const preferPort = async (wanted: number): Promise<number> =>
  (await isFree(wanted)) ? wanted : freePort();

/** Whether the port accepts connections. */
export const answers = (port: number, host = '127.0.0.1'): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host, timeout: 1_000 });
    const settle = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
  });

/** Polls the condition until it holds. False when it does not hold within `withinMs`. */
export const eventually = async (
  condition: () => boolean | Promise<boolean>,
  { withinMs, everyMs = 100 }: { withinMs: number; everyMs?: number },
): Promise<boolean> => {
  const end = performance.now() + withinMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= end) return false;
    await sleep(everyMs);
  }
};
