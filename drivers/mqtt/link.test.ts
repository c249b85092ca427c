import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
