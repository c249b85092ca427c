import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type MqttLink, type MqttLinkOptions, openMqttLink } from './link.ts';

let broker: Aedes;
let server: Server | undefined;
let link: MqttLink | undefined;
let folder: string;

beforeEach(async () => {
  broker = await Aedes.createBroker();
  folder = mkdtempSync(join(tmpdir(), 'branchline-'));
});
afterEach(async () => {
  await link?.close();
  await new Promise<void>((resolve) => broker.close(resolve));
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const listen = async (made: Server): Promise<number> => {
  server = made;
  made.listen(0, '127.0.0.1');
  await once(made, 'listening');
  return (made.address() as AddressInfo).port;
};

/** The first change of the link: up, or the reason why it is down. */
const firstChange = (options: Pick<MqttLinkOptions, 'url' | 'ca'>, onMessage = (_: string) => {}) =>
  new Promise<string>((resolve) => {
    link = openMqttLink(
      { ...options, clientId: 'a', subscriptions: ['t'], reconnectBaseMs: 10_000 },
      {
        onUp: () => resolve('up'),
        onDown: resolve,
        onMessage: (_, payload) => onMessage(Buffer.from(payload).toString()),
      },
    );
  });

const certificate = () => {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '1',
  ];
  const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', [...args, ...name, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
};
const openssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write('SKIPPED: TLS tests need openssl (Debian: apt-get install openssl)\n');
    return false;
  }
})();

test('a link over TCP is up when its subscriptions are granted, and carries messages both ways', async () => {
  const port = await listen(createServer(broker.handle));
  const received = Promise.withResolvers<string>();
  expect(await firstChange({ url: `mqtt://127.0.0.1:${port}` }, received.resolve)).toBe('up');
  expect(link?.publish('t', 'hello')).toBe(true);
  expect(await received.promise).toBe('hello');
});

test('without a broker the link is down, with a reason', async () => {
  const port = await listen(createServer());
  server?.close();
  expect(await firstChange({ url: `mqtt://127.0.0.1:${port}` })).toContain('ECONNREFUSED');
  expect(link?.publish('t', 'hello')).toBe(false);
});

test.skipIf(!openssl)(
  'a link over TLS is up when the certificate is signed by the given authority',
  async () => {
    const { key, cert } = certificate();
    const port = await listen(createTlsServer({ key, cert }, broker.handle));
    expect(await firstChange({ url: `mqtts://127.0.0.1:${port}`, ca: cert })).toBe('up');
  },
);

test.skipIf(!openssl)(
  'a certificate that nobody vouches for keeps the link down and is named as the reason',
  async () => {
    const { key, cert } = certificate();
    const port = await listen(createTlsServer({ key, cert }, broker.handle));
    expect(await firstChange({ url: `mqtts://127.0.0.1:${port}` })).toContain('self-signed certificate');
  },
);

/** Answers a connection as an MQTT 3.1.1 broker does: version 5 is refused. True if accepted. */
const onConnect = (socket: Socket, packet: Buffer): boolean => {
  const accepted = packet[8] === 4;
  socket.write(Buffer.from([0x20, 2, 0, accepted ? 0 : 1]));
  return accepted;
};
/** Speaks just enough MQTT 3.1.1: accepts the connection, and grants subscriptions if it is told to. */
const rawBroker = (onPacket: (type: number, packet: Buffer, answer: (bytes: number[]) => void) => void) =>
  createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (packet) => {
      const type = (packet[0] ?? 0) >> 4;
      if (type === 1) onConnect(socket, packet);
      else if (type === 12) socket.write(Buffer.from([0xd0, 0]));
      else onPacket(type, packet, (bytes) => socket.write(Buffer.from(bytes)));
    });
  });
const suback = (packet: Buffer) => [0x90, 3, packet[2] ?? 0, packet[3] ?? 0, 0];

test('a broker that answers everything but the subscription: the link gives up by its own deadline and retries', async () => {
  let subscriptions = 0;
  const port = await listen(rawBroker((type) => void (type === 8 && subscriptions++)));
  const reasons: string[] = [];
  const twice = Promise.withResolvers<void>();
  link = openMqttLink(
    {
      url: `mqtt://127.0.0.1:${port}`,
      clientId: 'a',
      subscriptions: ['t'],
      readyTimeoutMs: 200,
      keepaliveSeconds: 1,
      reconnectBaseMs: 1,
    },
    {
      onUp: () => twice.reject(new Error('it never was up')),
      onDown: (reason) => reasons.push(reason) === 2 && twice.resolve(),
      onMessage: () => {},
    },
  );
  await twice.promise;
  expect(reasons[0]).toBe('not ready within 200 ms: the broker does not answer the subscription');
  expect(subscriptions).toBeGreaterThanOrEqual(2);
});

test('a broker that no longer answers is noticed although messages are published all the time', async () => {
  let silent = false;
  const port = await listen(
    createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (packet) => {
        if (silent) return;
        const type = (packet[0] ?? 0) >> 4;
        if (type === 1) onConnect(socket, packet);
        if (type !== 8) return;
        socket.write(Buffer.from(suback(packet)));
        silent = true;
      });
    }),
  );
  const down = Promise.withResolvers<string>();
  const mine = openMqttLink(
    { url: `mqtt://127.0.0.1:${port}`, clientId: 'a', subscriptions: ['t'], keepaliveSeconds: 1 },
    { onUp: () => {}, onDown: down.resolve, onMessage: () => {} },
  );
  link = mine;
  const publishing = setInterval(() => mine.publish('t', 'x'), 100);
  expect(await down.promise).toBe('Keepalive timeout');
  clearInterval(publishing);
});

test('a link that only receives pings the broker although messages come all the time', async () => {
  const port = await listen(createServer(broker.handle));
  const pinged = Promise.withResolvers<string>();
  let pings = 0;
  broker.on('ping', () => ++pings === 2 && pinged.resolve('pinged twice'));
  const up = Promise.withResolvers<void>();
  link = openMqttLink(
    { url: `mqtt://127.0.0.1:${port}`, clientId: 'a', subscriptions: ['t'], keepaliveSeconds: 1 },
    { onUp: () => up.resolve(), onDown: pinged.resolve, onMessage: () => {} },
  );
  await up.promise;
  const publishing = setInterval(
    () =>
      broker.publish(
        { cmd: 'publish', topic: 't', payload: 'x', qos: 0, dup: false, retain: false },
        () => {},
      ),
    50,
  );
  expect(await pinged.promise).toBe('pinged twice');
  clearInterval(publishing);
});

test('a broker that speaks MQTT 5 states its packet limit, and why it disconnects', async () => {
  const port = await listen(
    createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (packet) => {
        const type = (packet[0] ?? 0) >> 4;
        // CONNACK with Maximum Packet Size (0x27), SUBACK, and DISCONNECT with Session taken over (0x8e).
        if (type === 1) socket.write(Buffer.from([0x20, 8, 0, 0, 5, 0x27, 0, 1, 0, 0]));
        if (type === 8) socket.write(Buffer.from([0x90, 4, packet[2] ?? 0, packet[3] ?? 0, 0, 0]));
        if (type === 3) socket.end(Buffer.from([0xe0, 2, 0x8e, 0]));
      });
    }),
  );
  const up = Promise.withResolvers<number | undefined>();
  const down = Promise.withResolvers<string>();
  const mine = openMqttLink(
    { url: `mqtt://127.0.0.1:${port}`, clientId: 'a', subscriptions: ['t'], reconnectBaseMs: 10_000 },
    { onUp: up.resolve, onDown: down.resolve, onMessage: () => {} },
  );
  link = mine;
  expect(await up.promise).toBe(65_536);
  mine.publish('t', 'x');
  expect(await down.promise).toBe('the broker says: another client has connected with the same client id');
});

test('a broker that silently ends connections of an unknown version gets the other version', async () => {
  const levels: (number | undefined)[] = [];
  const port = await listen(
    createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (packet) => {
        const type = (packet[0] ?? 0) >> 4;
        if (type === 1) levels.push(packet[8]);
        if (type === 1 && packet[8] === 5) socket.end();
        else if (type === 1) onConnect(socket, packet);
        else if (type === 8) socket.write(Buffer.from(suback(packet)));
      });
    }),
  );
  await new Promise<void>((resolve) => {
    link = openMqttLink(
      { url: `mqtt://127.0.0.1:${port}`, clientId: 'a', subscriptions: ['t'], reconnectBaseMs: 1 },
      { onUp: () => resolve(), onDown: () => {}, onMessage: () => {} },
    );
  });
  expect(levels).toEqual([5, 4]);
});

test('a link is renewed on request, and counts the brief ones until one has lasted', async () => {
  const port = await listen(createServer(broker.handle));
  const reasons: string[] = [];
  const ups = [1, 2, 3].map(() => Promise.withResolvers<void>());
  const mine = openMqttLink(
    {
      url: `mqtt://127.0.0.1:${port}`,
      clientId: 'a',
      subscriptions: ['t'],
      reconnectBaseMs: 1,
      steadyAfterMs: 300,
    },
    {
      onUp: () => ups[reasons.length]?.resolve(),
      onDown: (reason) => reasons.push(reason),
      onMessage: () => {},
    },
  );
  link = mine;
  for (const { promise } of ups.slice(0, 2)) {
    await promise;
    mine.reconnect('no receipt');
  }
  expect(reasons).toEqual(['no receipt', 'no receipt']);
  expect(mine.briefLinks()).toBe(2);
  await ups[2]?.promise;
  await vi.waitFor(() => expect(mine.briefLinks()).toBe(0), { timeout: 5_000 });
});

test('closing ends in time although the broker has stopped reading', async () => {
  const port = await listen(
    createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (connect) => {
        if (!onConnect(socket, connect)) return;
        socket.once('data', (packet) => {
          socket.write(Buffer.from(suback(packet)));
          socket.pause();
        });
      });
    }),
  );
  const up = Promise.withResolvers<void>();
  const mine = openMqttLink(
    { url: `mqtt://127.0.0.1:${port}`, clientId: 'a', subscriptions: ['t'], closeTimeoutMs: 200 },
    { onUp: () => up.resolve(), onDown: () => {}, onMessage: () => {} },
  );
  await up.promise;
  while (mine.unsentBytes() < 1_000_000) {
    mine.publish('t', Buffer.alloc(1_000_000));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const since = performance.now();
  await mine.close();
  expect(performance.now() - since).toBeLessThan(2_000);
});

test('a link that comes up and breaks again and again backs off, and the reason names what usually causes it', async () => {
  let connections = 0;
  const port = await listen(
    createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (packet) => {
        const type = (packet[0] ?? 0) >> 4;
        if (type === 1 && onConnect(socket, packet)) connections++;
        if (type === 8) socket.end(Buffer.from(suback(packet)));
      });
    }),
  );
  const reasons: string[] = [];
  const sixth = Promise.withResolvers<void>();
  const since = performance.now();
  link = openMqttLink(
    // Without jitter: 20, 40, 80, 160, 320 ms.
    {
      url: `mqtt://127.0.0.1:${port}`,
      clientId: 'store-0001.edge-1',
      subscriptions: ['t'],
      reconnectBaseMs: 20,
      random: () => 1,
    },
    {
      onUp: () => {},
      onDown: (reason) => reasons.push(reason) === 6 && sixth.resolve(),
      onMessage: () => {},
    },
  );
  await sixth.promise;
  expect(performance.now() - since).toBeGreaterThan(20 + 40 + 80 + 160 + 320 - 10);
  expect(connections).toBe(6);
  expect(reasons[0]).toBe('connection closed');
  expect(reasons[5]).toContain('another device uses the client id store-0001.edge-1');
});
