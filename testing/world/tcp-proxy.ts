import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * For tests: a forwarder that can break connections the way networks do. `silence` acts like a firewall that has forgotten a connection:
 * what is sent vanishes, and neither end hears that the other has gone. Those connections stay silent after the line is open
 * again; only new ones pass.
 */
export type TcpProxy = {
  port: number;
  /** Resets all connections and every new one until `open`. */
  cut(): void;
  silence(): void;
  /** Bytes per second, each way and for each connection. */
  slow(bytesPerSecond: number): void;
  open(): void;
  connections(): number;
  close(): Promise<void>;
};

type Pair = { near: Socket; far: Socket; isSilent: boolean };

const sliceBytes = 1_024;

type LineState = { isCut: boolean; isSilent: boolean; bytesPerSecond: number };

const openLine: LineState = { isCut: false, isSilent: false, bytesPerSecond: Number.POSITIVE_INFINITY };

/** In slices with pauses, so that a slow line is slow within a chunk too. */
const pass = async (line: LineState, pair: Pair, from: Socket, to: Socket): Promise<void> => {
  for await (const chunk of from as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length && !pair.isSilent; ) {
      const { bytesPerSecond } = line;
      const isSlow = Number.isFinite(bytesPerSecond);
      const slice = isSlow ? chunk.subarray(at, at + sliceBytes) : chunk.subarray(at);
      at += slice.length;
      if (isSlow) await sleep((slice.length / bytesPerSecond) * 1_000);
      if (pair.isSilent) break;
      if (to.destroyed) return;
      if (!to.write(slice) && !pair.isSilent) await Promise.race([once(to, 'drain'), once(to, 'close')]);
    }
  }
  if (!pair.isSilent) to.end();
};

/** Forgets a pair that has ended. In a silent one neither end hears that the other has gone. */
const joinEnds = (pairs: Set<Pair>, pair: Pair): void => {
  const { near, far } = pair;
  const ends = (other: Socket) => (isBroken: boolean) => {
    if (pair.isSilent && !(near.destroyed && far.destroyed)) return;
    if (isBroken) other.destroy();
    pairs.delete(pair);
  };
  near.on('close', ends(far));
  far.on('close', ends(near));
};

/** What an URL addresses: the target of a proxy. */
export const targetOf = (url: string): { host: string; port: number } => {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
};

/** The same URL by way of a proxy. */
export const throughProxy = (url: string, { port }: { port: number }): string => {
  const changed = new URL(url);
  changed.hostname = '127.0.0.1';
  changed.port = String(port);
  return changed.href;
};

/** `target` is asked for each new connection. */
export const openTcpProxy = async (target: () => { host: string; port: number }): Promise<TcpProxy> => {
  const pairs = new Set<Pair>();
  const line = { ...openLine };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    near.on('error', () => {});
    if (line.isCut) return near.resetAndDestroy();
    const far = connect({ ...target(), allowHalfOpen: true, noDelay: true });
    far.on('error', () => {});
    const pair: Pair = { near, far, isSilent: line.isSilent };
    pairs.add(pair);
    joinEnds(pairs, pair);
    pass(line, pair, near, far).catch(() => {});
    pass(line, pair, far, near).catch(() => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const reset = () => {
    for (const { near, far } of pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
    pairs.clear();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      line.isCut = true;
      reset();
    },
    silence: () => {
      line.isSilent = true;
      for (const pair of pairs) pair.isSilent = true;
    },
    slow: (bytesPerSecond) => {
      line.bytesPerSecond = bytesPerSecond;
    },
    open: () => void Object.assign(line, openLine),
    connections: () => pairs.size,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      reset();
      await closed;
    },
  };
};
