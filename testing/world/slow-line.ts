import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * For tests: a line to a port of this machine with a given throughput and delay of answers. Waiting bytes are in the buffers of
 * this process and of the kernel, where no sender sees them.
 */
export type SlowLine = {
  port: number;
  /** Bytes that have crossed it from the branch to the broker. */
  crossedBytes(): number;
  close(): Promise<void>;
};

const stepMs = 20;

const carry = (from: Socket, to: Socket, bytesPerStep: number, onCrossed: (bytes: number) => void): void => {
  const timer = setInterval(() => {
    for (let room = bytesPerStep; room > 0; ) {
      const chunk: Buffer | null = from.read(Math.min(room, from.readableLength));
      if (chunk === null) return;
      room -= chunk.length;
      onCrossed(chunk.length);
      to.write(chunk);
    }
  }, stepMs);
  from.on('close', () => clearInterval(timer));
};

export const openSlowLine = async (
  brokerPort: number,
  { bytesPerSecond, delayMs }: { bytesPerSecond: number; delayMs: number },
): Promise<SlowLine> => {
  let crossed = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (branch) => {
    const broker = connect(brokerPort, '127.0.0.1');
    for (const [one, other] of [
      [branch, broker],
      [broker, branch],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
    carry(branch, broker, Math.round((bytesPerSecond * stepMs) / 1_000), (bytes) => {
      crossed += bytes;
    });
    broker.on('data', (chunk) => setTimeout(() => branch.destroyed || branch.write(chunk), delayMs));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    crossedBytes: () => crossed,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};
