import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { IntakeResult } from '@branchline/contracts/intake.ts';
import { limits } from '@branchline/contracts/limits.ts';
import { until as untilNamed } from '@branchline/testing/world/until.ts';
import { afterEach, expect, it, test } from 'vitest';
import { statusOfProblem } from '../core/answer.ts';
import { bodyBytesInHandMax } from '../core/byte-budget.ts';
import { untrustedPerAddressMax } from '../core/spare-connection.ts';
import { type HttpIntake, type HttpIntakeOptions, serveIntake } from './server.ts';

/** Real connections to the intake's server. The test answers what the server hands over. */

const token = 'a-token-of-sixteen';
let intake: HttpIntake;
let sockets: Socket[] = [];
/** The bodies handed over, and the answers still owed. */
let bodies: string[] = [];
let answers: (() => void)[] = [];
let answersAtOnce = true;
let results: IntakeResult[] = [];

const until = (condition: () => boolean) =>
  untilNamed(condition.toString(), condition, { withinMs: 10_000, everyMs: 5 });

const start = async (options: Partial<HttpIntakeOptions> = {}) => {
  intake = await serveIntake(
    { host: '127.0.0.1', port: 0, ...options },
    {
      onEvents: async (body) => {
        bodies.push(Buffer.from(body).toString());
        if (!answersAtOnce) await new Promise<void>((resolve) => answers.push(resolve));
        return { status: 200, answer: { results } };
      },
      failure: ({ code, detail }) => ({
        status: statusOfProblem(code),
        failure: { error: { code, detail, hint: '', retry: false } },
      }),
      status: async () => ({ pending: 0 }),
      metrics: async () => '',
    },
  );
};
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const answer of answers) answer();
  await intake.close();
  [sockets, bodies, answers, answersAtOnce, results] = [[], [], [], true, []];
});

const open = async (host = '127.0.0.1') => {
  const socket = connect(Number(new URL(intake.url).port), host);
  sockets.push(socket);
  const said = { text: '', isOpen: true };
  socket.on('data', (chunk) => {
    said.text += chunk.toString();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    said.isOpen = false;
  });
  await once(socket, 'connect');
  return { socket, said };
};

type Asked = { method?: string; path?: string; headers?: Record<string, string>; body?: string | Buffer };
const ask = (
  { method = 'POST', path = '/v1/events', headers = {}, body = '[]' }: Asked,
  host = '127.0.0.1',
) =>
  new Promise<[status: number, code: string | undefined, headers: NodeJS.Dict<string | string[]>]>(
    (resolve, reject) => {
      const sent = httpRequest(
        {
          host,
          port: new URL(intake.url).port,
          method,
          path,
          headers: { 'content-type': 'application/json', ...headers },
        },
        async (response) => {
          let text = '';
          for await (const chunk of response) text += chunk;
          const code = text.startsWith('{') ? JSON.parse(text).error?.code : undefined;
          resolve([response.statusCode ?? 0, code, response.headers]);
        },
      );
      sent.on('error', reject);
      sent.end(method === 'GET' ? undefined : body);
    },
  );
const get = (path: string, headers: Record<string, string> = {}) => ({ method: 'GET', path, headers });
const bearer = { authorization: `Bearer ${token}` };

test.each([
  [{}, 200],
  [{ host: 'localhost:7801' }, 200],
  [{ host: '[::1]:7801' }, 200],
  [{ host: 'evil.example:7801' }, 403],
  [{ host: '127.0.0.1.evil.example' }, 403],
  [{ host: '127.0.0.1', origin: 'https://evil.example' }, 403],
  [{ host: '127.0.0.1', origin: 'null' }, 403],
  [{ host: '127.0.0.1', 'sec-fetch-site': 'cross-site' }, 403],
])('without a token, events with the headers %j are answered %i', async (headers, status) => {
  await start();
  expect((await ask({ headers })).slice(0, 2)).toEqual([
    status,
    status === 403 ? 'foreign-request' : undefined,
  ]);
  expect(bodies).toHaveLength(status === 200 ? 1 : 0);
});

it('the scheme of the token may be in any case, but not the token itself', async () => {
  await start({ token });
  const statusWith = async (authorization: string) => (await ask({ headers: { authorization } }))[0];
  expect(await statusWith(`bearer ${token}`)).toBe(200);
  expect(await statusWith(`Bearer ${token.toUpperCase()}`)).toBe(401);
  expect(await statusWith(token)).toBe(401);
});

it('with a token, a request is authorised by the token and not by its origin', async () => {
  await start({ token });
  expect((await ask({})).slice(0, 2)).toEqual([401, 'unauthorised']);
  expect((await ask({ headers: { ...bearer, host: 'agent.shop.example' } }))[0]).toBe(200);
});

test.each(['/v1/status', '/metrics'])(
  '%s: a foreign name is refused, the token is not needed here',
  async (path) => {
    await start({ token });
    expect((await ask(get(path)))[0]).toBe(200);
    expect((await ask(get(path, { host: 'evil.example' }))).slice(0, 2)).toEqual([403, 'foreign-request']);
    expect((await ask(get(path, { ...bearer, host: 'agent.shop.example' })))[0]).toBe(200);
  },
);

const otherAddress = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
test.skipIf(otherAddress === undefined).each(['/v1/status', '/metrics'])(
  '%s answers other machines only with the token',
  async (path) => {
    await start({ token, host: '0.0.0.0' });
    expect((await ask(get(path), otherAddress)).slice(0, 2)).toEqual([401, 'unauthorised']);
    expect((await ask(get(path, bearer), otherAddress))[0]).toBe(200);
    expect((await ask(get('/healthz'), otherAddress))[0]).toBe(200);
  },
);

test.each([
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const)('a body that is compressed with %s is read', async (encoding, compress) => {
  await start();
  const body = `[${'1,'.repeat(200_000)}1]`;
  const headers = { 'content-encoding': encoding };
  expect((await ask({ headers, body: compress(body) }))[0]).toBe(200);
  expect(bodies).toEqual([body]);
});

test.each([
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const)(
  'bad input B4: a %s bomb is 413, and nothing of it is handed over',
  async (encoding, compress) => {
    await start();
    const body = compress(Buffer.alloc(100 * limits.intakeBodyBytesMax));
    expect(body.length).toBeLessThan(limits.intakeBodyBytesMax);
    const headers = { 'content-encoding': encoding };
    expect((await ask({ headers, body })).slice(0, 2)).toEqual([413, 'body-too-large']);
    expect(bodies).toEqual([]);
  },
);

test.each([
  ['br', brotliCompressSync('[]'), 415, 'encoding'],
  ['gzip, zstd', gzipSync('[]'), 415, 'encoding'],
  ['constructor', '[]', 415, 'encoding'],
  ['gzip', '[]', 400, 'not-json'],
  ['zstd', gzipSync('[]'), 400, 'not-json'],
] as const)(
  'bad input B4: an encoding %s that cannot be read is refused by name',
  async (encoding, body, ...answer) => {
    await start();
    expect((await ask({ headers: { 'content-encoding': encoding }, body })).slice(0, 2)).toEqual(answer);
  },
);

it('a body in pieces arrives whole, with its length announced and without', async () => {
  await start();
  const { socket, said } = await open();
  const body = 'x'.repeat(300_000);
  const head = 'POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
  socket.write(`${head}content-length: ${body.length}\r\n\r\n`);
  for (let i = 0; i < body.length; i += 50_000) socket.write(body.slice(i, i + 50_000));
  await until(() => bodies.length === 1);
  socket.write(`${head}transfer-encoding: chunked\r\n\r\n`);
  for (let i = 0; i < body.length; i += 3)
    socket.write(`3\r\n${body.slice(i, i + 3)}\r\n${i + 3 >= body.length ? '0\r\n\r\n' : ''}`);
  await until(() => bodies.length === 2);
  expect(bodies).toEqual([body, body]);
  await until(() => said.text.split('200 OK').length === 3);
});

it('requests beyond the memory limit are answered 503 with Retry-After, and taken later', async () => {
  await start();
  answersAtOnce = false;
  const body = Buffer.alloc(limits.intakeBodyBytesMax, 32);
  const fit = bodyBytesInHandMax / body.length;
  const asked = Array.from({ length: fit }, () => ask({ body }));
  await until(() => bodies.length === fit);
  const [status, code, headers] = await ask({ body });
  expect([status, code, headers['retry-after'], headers.connection]).toEqual([
    503,
    'busy',
    '5',
    'keep-alive',
  ]);
  for (const answer of answers) answer();
  expect((await Promise.all(asked)).map(([each]) => each)).toEqual(Array(fit).fill(200));
  answersAtOnce = true;
  expect((await ask({ body }))[0]).toBe(200);
});

it('pipelined requests are handed over one at a time, and answered in order', async () => {
  await start();
  answersAtOnce = false;
  const { socket, said } = await open();
  const events = (text: string) =>
    `POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
  const sent = [...'abcdefgh'].map((letter) => letter.repeat(letter === 'c' ? 900_000 : 1_000));
  for (const text of sent) socket.write(events(text));
  for (const [i, text] of sent.entries()) {
    await until(() => bodies.length === i + 1);
    // Another turn of the event loop would hand over the next request, if it could.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(bodies.length).toBe(i + 1);
    expect(bodies[i]).toBe(text);
    answers.shift()?.();
  }
  await until(() => said.text.split('200 OK').length === sent.length + 1);
});

it('a client that sends without end and reads nothing is cut off', async () => {
  await start();
  answersAtOnce = false;
  const { socket, said } = await open();
  socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(1_000));
  await until(() => !said.isOpen);
});

it('connections without a token lock no till out, however many there are', async () => {
  await start({ token, connectionsMax: 8 });
  const events = (socket: Socket) =>
    socket.write(
      `POST /v1/events HTTP/1.1\r\nhost: agent\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]`,
    );
  const till = await open();
  events(till.socket);
  await until(() => till.said.text.includes('200 OK'));
  const idle: { said: { isOpen: boolean } }[] = [];
  for (let i = 0; i < 30; i++) idle.push(await open());
  await until(() => idle.filter(({ said }) => said.isOpen).length === 7);
  expect((await ask({ headers: bearer }))[0]).toBe(200);
  expect(till.said.isOpen).toBe(true);
  events(till.socket);
  await until(() => till.said.text.split('200 OK').length === 3);
});

test.skipIf(otherAddress === undefined)(
  'another machine gets only a few connections at a time without having shown the token',
  async () => {
    await start({ token, host: '0.0.0.0' });
    const idle: { said: { isOpen: boolean } }[] = [];
    for (let i = 0; i < 30; i++) idle.push(await open(otherAddress));
    await until(() => idle.filter(({ said }) => said.isOpen).length === untrustedPerAddressMax);
    expect((await ask({ headers: bearer }, otherAddress))[0]).toBe(200);
  },
);

it('a client that does not take its answer loses its connection', async () => {
  await start({ stillTimeoutMs: 300 });
  const one = { id: 'x'.repeat(120), outcome: 'accepted', stream: 'pos', epoch: '', seq: 1 } as const;
  results = Array(100_000).fill(one);
  const { socket } = await open();
  const closed = once(socket, 'close');
  socket.pause();
  const request =
    'POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]';
  socket.write(request);
  await until(() => bodies.length === 1);
  // Longer than the limit, with nothing read; then what the system had buffered, and the end.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  socket.resume();
  await closed;
  expect(socket.bytesRead).toBeLessThan(results.length * 150);
});

test.each([
  ['a request that begins with TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', '400', 'begins with TLS'],
  ['headers of 20 KiB', `POST /v1/events HTTP/1.1\r\nx: ${'a'.repeat(20_480)}\r\n\r\n`, '431', '16384 bytes'],
  [
    'two lengths of one body',
    'POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n[]',
    '400',
    'Content-Length',
  ],
])('bad input B1: %s is refused as what it is, not as JSON', async (_, text, status, detail) => {
  await start();
  const { socket, said } = await open();
  socket.write(text, 'latin1');
  await until(() => !said.isOpen);
  expect(said.text).toContain(`HTTP/1.1 ${status} `);
  expect(JSON.parse(said.text.split('\r\n\r\n')[1] as string).error).toMatchObject({
    ...{ code: 'not-http', detail: expect.stringContaining(detail) },
  });
});

it('headers that arrive too slowly end the connection', async () => {
  await start({ requestTimeoutMs: 300 });
  const { socket, said } = await open();
  socket.write('POST /v1/events HTTP/1.1\r\nhost: loc');
  await until(() => !said.isOpen);
  expect(said.text).toContain('408');
});
