import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openWan, type Wan } from './wan.ts';

let echo: Server;
let wan: Wan;
const clients: Socket[] = [];

beforeEach(async () => {
  echo = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const { port } = echo.address() as AddressInfo;
  wan = await openWan(
    ['store-0001', 'store-0002'].map((site) => ({ site, port: 0 })),
    { host: '127.0.0.1', port },
  );
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await wan.close();
  echo.close();
});

const dial = async (site: string): Promise<Socket> => {
  const client = connect({ port: wan.link(site)?.port as number, host: '127.0.0.1', noDelay: true });
  clients.push(client);
  client.on('error', () => {});
  await once(client, 'connect');
  return client;
};

const receive = (client: Socket, bytes: number): Promise<Buffer> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const collect = (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length < bytes) return;
      client.off('data', collect);
      resolve(Buffer.concat(chunks));
    };
    client.on('data', collect);
  });

const closed = (client: Socket): Promise<unknown> =>
  client.closed ? Promise.resolve() : new Promise((resolve) => client.once('close', resolve));

test('bytes arrive in order and unchanged, with and without a delay, followed by the end', async () => {
  for (const delayMs of [0, 30]) {
    wan.set('store-0001', { delayMs });
    const sent = Buffer.from(Uint32Array.from({ length: 1_000_000 }, (_, i) => i).buffer);
    const client = await dial('store-0001');
    const arrived = receive(client, sent.length);
    client.end(sent);
    expect((await arrived).equals(sent)).toBe(true);
    await closed(client);
  }
});

test('a delay applies each way and does not reduce the bandwidth', async () => {
  wan.set('store-0001', { delayMs: 50 });
  const client = await dial('store-0001');
  const started = performance.now();
  const back = receive(client, 100_000);
  // A hundred messages within one round trip; sequentially they would take ten seconds.
  for (let i = 0; i < 100; i++) client.write(Buffer.alloc(1_000));
  await back;
  const took = performance.now() - started;
  expect(took).toBeGreaterThan(95);
  expect(took).toBeLessThan(2_000);
});

test('taking a site offline breaks its connection, refuses new ones, and leaves other sites alone', async () => {
  const mine = await dial('store-0001');
  const other = await dial('store-0002');
  mine.write('x');
  await receive(mine, 1);
  wan.set('store-0001', { online: false });
  await closed(mine);

  const refused = await dial('store-0001').catch(() => undefined);
  if (refused !== undefined) await closed(refused);
  expect(wan.link('store-0001')).toMatchObject({ online: false, connections: 0 });

  other.write('y');
  expect((await receive(other, 1)).toString()).toBe('y');

  wan.set('store-0001', { online: true });
  const back = await dial('store-0001');
  back.write('z');
  expect((await receive(back, 1)).toString()).toBe('z');
});

test('a receiver that does not read pauses the sender instead of filling memory', async () => {
  const client = await dial('store-0001');
  wan.set('store-0001', { delayMs: 5 });
  client.pause();
  let written = 0;
  const block = Buffer.alloc(1024 * 1024);
  while (written < 512 * 1024 * 1024 && client.write(block)) written += block.length;
  while (written < 512 * 1024 * 1024) {
    const drained = await Promise.race([
      once(client, 'drain').then(() => true),
      new Promise<false>((resolve) => setTimeout(() => resolve(false), 500)),
    ]);
    if (!drained) break;
    written += block.length;
    client.write(block);
  }
  expect(written).toBeLessThan(128 * 1024 * 1024);
});

test('a site without a link is unknown', () => {
  expect(wan.set('store-9999', { online: false })).toBe(false);
  expect(wan.link('store-9999')).toBeUndefined();
});
