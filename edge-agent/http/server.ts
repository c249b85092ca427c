import {
  createServer,
  type IncomingMessage,
  type ServerOptions,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { isProblem, type Problem, problem } from '@branchline/contracts/errors.ts';
import type { IntakeAnswer, IntakeFailure, IntakeResult } from '@branchline/contracts/intake.ts';
import { metricsContentType } from '@branchline/kernel/metrics.ts';
import { createByteBudget } from '../core/byte-budget.ts';
import { createAccess } from './access.ts';
import { readBody } from './body.ts';
import { createConnections } from './connections.ts';

/** The intake's HTTP server: access, and bounds on memory, times and connections. What a body means is decided elsewhere. */

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
  /** A connection on which nothing moves for this long is closed: its client does not take the answer. */
  stillTimeoutMs?: number;
  connectionsMax?: number;
};

export type HttpIntakeHandlers = {
  /** Body bytes in, reply out. Never rejects. */
  onEvents(body: Uint8Array): Promise<IntakeReply>;
  /** Called once for each request that is rejected here, so that it is counted. */
  failure(why: Problem): { status: number; failure: IntakeFailure };
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
/** Longer than any commit takes and any till waits. */
const stillTimeoutMs = 60_000;
const checkEveryMs = 500;

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

type Refuse = (response: ServerResponse, why: Problem, status?: number) => void;

const refusalsOf =
  (handlers: HttpIntakeHandlers): Refuse =>
  (response, why, status) => {
    const reply = handlers.failure(why);
    sendLast(response, status ?? reply.status, reply.failure);
  };

/** What Node's parser reports about a request that it could not read. */
type BrokenRequest = Error & { code?: string; reason?: string; rawPacket?: Uint8Array };

/** The first byte of a TLS connection (RFC 8446 § 5.1); no HTTP request begins with it. */
const tlsHandshake = 0x16;
const headerBytesMax = 16 * 1024;

const headersTooLarge = 'HPE_HEADER_OVERFLOW';

const brokenRequestProblem = ({ code, reason, rawPacket }: BrokenRequest): Problem => {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return problem('too-slow', 'the request is not complete');
  if (code === headersTooLarge)
    return problem('not-http', `address and headers are larger than ${headerBytesMax} bytes`);
  if (rawPacket?.[0] === tlsHandshake) return problem('not-http', 'the request begins with TLS');
  return problem('not-http', reason ?? 'not HTTP');
};

/** Node could not read the request, so there is no response object to answer with. */
const refuseBrokenRequest = (error: BrokenRequest, socket: Socket, handlers: HttpIntakeHandlers) => {
  if (!socket.writable) return socket.destroy();
  const reply = handlers.failure(brokenRequestProblem(error));
  const status = error.code === headersTooLarge ? 431 : reply.status;
  const body = `${JSON.stringify(reply.failure)}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
};

const boundsOf = ({ requestTimeoutMs = 10_000 }: HttpIntakeOptions): ServerOptions => ({
  requestTimeout: requestTimeoutMs,
  headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
  keepAliveTimeout: keepAliveTimeoutMs,
  connectionsCheckingInterval: checkEveryMs,
  maxHeaderSize: headerBytesMax,
  noDelay: true,
});

const contentTypeProblem = ({ headers }: IncomingMessage): Problem | undefined => {
  const contentType = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  return contentType !== undefined && contentTypes.has(contentType)
    ? undefined
    : problem('not-json', `the content type is ${contentType ?? 'missing'}`);
};

type Page = {
  isOpen?: boolean;
  send(response: ServerResponse): Promise<void> | void;
};

const pagesOf = (handlers: HttpIntakeHandlers): Record<string, Page> => ({
  '/healthz': { isOpen: true, send: (response) => send(response, 200, { ok: true }) },
  '/v1/status': { send: async (response) => send(response, 200, await handlers.status()) },
  '/metrics': {
    send: async (response) => sendText(response, metricsContentType, await handlers.metrics()),
  },
});

const createRequestHandler = (
  { token }: HttpIntakeOptions,
  handlers: HttpIntakeHandlers,
  trust: (socket: Socket) => void,
) => {
  const access = createAccess(token);
  const pages = pagesOf(handlers);
  const refuse = refusalsOf(handlers);
  const budget = createByteBudget();

  const onEvents = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== 'POST')
      return refuse(response, problem('method', `${request.method} is not POST`));
    const foreign = access.toEvents(request);
    if (foreign !== undefined) return refuse(response, foreign);
    trust(request.socket);
    const notJson = contentTypeProblem(request);
    if (notJson !== undefined) return refuse(response, notJson, 415);
    const loan = budget.open();
    try {
      const body = await readBody(request, loan);
      if (body === undefined) return;
      if (isProblem(body)) {
        if (body.code !== 'busy' || request.headers['content-length'] === undefined)
          return refuse(response, body);
        // The rest is read and discarded: a till still sending would otherwise lose the answer with its connection.
        request.resume();
        const { status, failure } = handlers.failure(body);
        return send(response, status, failure);
      }
      const reply = await handlers.onEvents(body);
      const json = 'single' in reply ? reply.single : 'answer' in reply ? reply.answer : reply.failure;
      send(response, reply.status, json);
    } finally {
      loan.end();
    }
  };

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === '/v1/events') return onEvents(request, response);
    const page = Object.hasOwn(pages, request.url ?? '') ? pages[request.url ?? ''] : undefined;
    if (page === undefined) return refuse(response, problem('not-found', 'no such address'));
    if (request.method !== 'GET') return refuse(response, problem('method', `${request.method} is not GET`));
    const foreign = page.isOpen ? undefined : access.toPages(request);
    if (foreign !== undefined) return refuse(response, foreign);
    await page.send(response);
  };
};

export const serveIntake = async (
  options: HttpIntakeOptions,
  handlers: HttpIntakeHandlers,
): Promise<HttpIntake> => {
  const connections = createConnections(options.connectionsMax ?? 128);
  const handle = createRequestHandler(options, handlers, connections.trust);

  const server = createServer(boundsOf(options), (request, response) => {
    response.on('error', () => {});
    const begin = () =>
      void handle(request, response).catch((error: unknown) =>
        sendLast(response, 503, { error: String(error) }),
      );
    if (!connections.take(request, response, begin))
      handlers.failure(problem('busy', 'too many requests are waiting'));
  });
  server.on('connection', connections.add);
  server.maxRequestsPerSocket = 0;
  server.timeout = options.stillTimeoutMs ?? stillTimeoutMs;
  server.on('clientError', (error: BrokenRequest, socket: Socket) =>
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
