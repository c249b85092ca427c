import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ErrorCode } from '@branchline/contracts/errors.ts';
import type { IntakeAnswer, IntakeFailure, IntakeResult } from '@branchline/contracts/intake.ts';
import { limits } from '@branchline/contracts/limits.ts';
import { isLoopback } from '@branchline/kernel/loopback.ts';
import { metricsContentType } from '@branchline/kernel/metrics.ts';

/** The intake's HTTP server: bounds bodies, times and connections. What a body means is decided elsewhere. */

export type IntakeReply =
  | { status: number; single: IntakeResult }
  | { status: number; answer: IntakeAnswer }
  | { status: number; failure: IntakeFailure };

export type HttpIntakeOptions = {
  host: string;
  port: number;
  token?: string | undefined;
  /** The whole request, headers and body, must have arrived by then. */
  requestTimeoutMs?: number;
  connectionsMax?: number;
};

export type HttpIntakeHandlers = {
  /** Body bytes in, reply out. Never rejects. */
  onEvents(body: Uint8Array): Promise<IntakeReply>;
  /** Called once for each request that is rejected here, so that it is counted. */
  failure(code: ErrorCode, detail: string): { status: number; failure: IntakeFailure };
  status(): Promise<object>;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
};

export type HttpIntake = { url: string; close(): Promise<void> };

const contentTypes = new Set([
  'application/json',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
]);
const retryAfterSeconds = 5;
/** Node's own defaults keep idle or slow connections for minutes. */
const headersTimeoutMs = 5_000;
const keepAliveTimeoutMs = 60_000;
const checkEveryMs = 500;

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Compares digests: they have one length, and the first differing byte tells nothing about the token. */
const tokenCheck = (token: string | undefined) => {
  if (token === undefined) return () => true;
  const expected = digest(`Bearer ${token}`);
  return (header: string | undefined) => timingSafeEqual(digest(header ?? ''), expected);
};

/** The body, `too-large` as soon as it is, or undefined when the client disconnected. */
const readBody = (request: IncomingMessage): Promise<Buffer | 'too-large' | undefined> =>
  new Promise((resolve) => {
    if (Number(request.headers['content-length'] ?? 0) > limits.intakeBodyBytesMax)
      return resolve('too-large');
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limits.intakeBodyBytesMax) {
        chunks.length = 0;
        request.pause();
        resolve('too-large');
      } else chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    request.on('error', () => resolve(undefined));
    request.on('close', () => resolve(undefined));
  });

const sendText = (response: ServerResponse, contentType: string, text: string) => {
  response.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) });
  response.end(text);
};

const send = (
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
) => {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...(status === 503 ? { 'retry-after': String(retryAfterSeconds) } : {}),
    ...headers,
  });
  response.end(text);
};

/** Answers and closes the connection, because the rest of the request is not read. */
const sendLast = (response: ServerResponse, status: number, body: object) => {
  response.on('finish', () => response.socket?.destroySoon());
  send(response, status, body, { connection: 'close' });
};

type Refuse = (response: ServerResponse, code: ErrorCode, detail: string, status?: number) => void;

const refusalsOf =
  (handlers: HttpIntakeHandlers): Refuse =>
  (response, code, detail, status) => {
    const reply = handlers.failure(code, detail);
    sendLast(response, status ?? reply.status, reply.failure);
  };

/** Node could not read the request, so there is no response object to answer with. */
const refuseBrokenRequest = (error: NodeJS.ErrnoException, socket: Socket, handlers: HttpIntakeHandlers) => {
  if (!socket.writable) return socket.destroy();
  const slow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const { failure } = slow
    ? handlers.failure('too-slow', 'the request is not complete')
    : handlers.failure('not-json', 'not HTTP');
  const body = `${JSON.stringify(failure)}\n`;
  socket.end(
    `HTTP/1.1 ${slow ? '408 Request Timeout' : '400 Bad Request'}\r\nconnection: close\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
};

const boundsOf = ({ requestTimeoutMs = 10_000 }: HttpIntakeOptions): ServerOptions => ({
  requestTimeout: requestTimeoutMs,
  headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
  keepAliveTimeout: keepAliveTimeoutMs,
  connectionsCheckingInterval: checkEveryMs,
  maxHeaderSize: 16 * 1024,
  noDelay: true,
});

export const serveIntake = async (
  options: HttpIntakeOptions,
  handlers: HttpIntakeHandlers,
): Promise<HttpIntake> => {
  const isAuthorised = tokenCheck(options.token);

  const refuse = refusalsOf(handlers);

  const onEvents = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== 'POST') return refuse(response, 'method', `${request.method} is not POST`);
    if (!isAuthorised(request.headers.authorization))
      return refuse(response, 'unauthorised', 'no token or a wrong one');
    const contentType = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
    if (contentType === undefined || !contentTypes.has(contentType))
      return refuse(response, 'not-json', `the content type is ${contentType ?? 'missing'}`, 415);
    const body = await readBody(request);
    if (body === undefined) return;
    if (body === 'too-large')
      return refuse(response, 'body-too-large', `the limit is ${limits.intakeBodyBytesMax} bytes`);
    const reply = await handlers.onEvents(body);
    const json = 'single' in reply ? reply.single : 'answer' in reply ? reply.answer : reply.failure;
    send(response, reply.status, json);
  };

  /** Sales figures are confidential: from another machine, metrics need the token, as events do. */
  const pages: Record<string, (request: IncomingMessage, response: ServerResponse) => Promise<void>> = {
    '/healthz': async (_, response) => send(response, 200, { ok: true }),
    '/v1/status': async (_, response) => send(response, 200, await handlers.status()),
    '/metrics': async (request, response) => {
      const fromHere = isLoopback(request.socket.remoteAddress ?? '');
      if (!fromHere && !isAuthorised(request.headers.authorization))
        return refuse(response, 'unauthorised', 'no token or a wrong one');
      sendText(response, metricsContentType, await handlers.metrics());
    },
  };

  const server = createServer(boundsOf(options), (request, response) => {
    response.on('error', () => {});
    if (request.url === '/v1/events') return void onEvents(request, response);
    const page = pages[request.url ?? ''];
    if (page === undefined) return refuse(response, 'not-found', 'no such address');
    if (request.method !== 'GET') return refuse(response, 'method', `${request.method} is not GET`);
    page(request, response).catch((error: unknown) => sendLast(response, 503, { error: String(error) }));
  });
  server.maxConnections = options.connectionsMax ?? 128;
  server.maxRequestsPerSocket = 0;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    refuseBrokenRequest(error, socket, handlers),
  );

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 1_000).unref();
      }),
  };
};
