import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ErrorCode, errors, isProblem } from '@branchline/contracts/errors.ts';
import type { IntakeAnswer, IntakeFailure, IntakeResult } from '@branchline/contracts/intake.ts';
import { parseAtIntake, streamOf } from '@branchline/contracts/parse.ts';

/**
 * For tests of its clients: an agent's intake in memory. It answers by contracts/intake.ts, accepts each id once, and
 * misbehaves on demand in the ways a real one does.
 */
export type Mishap =
  /** Accepts the events and breaks the connection before it answers. */
  | 'stores, then hangs up'
  | 'hangs up'
  | 'says nothing'
  | 'answers half'
  /** 503, as while stopping. */
  | 'stopping'
  /** 200, with every second event refused temporarily. */
  | 'takes every second';

export type IntakeForTests = {
  url: string;
  /** What was accepted, by id, in order. */
  taken: Map<string, string>;
  requests: number;
  connections: number;
  /** Mishaps of the next requests, in order; undefined for none. */
  mishaps: (Mishap | undefined)[];
  close(): Promise<void>;
};

const failure = (code: ErrorCode, detail: string): IntakeFailure => ({
  error: { code, detail, hint: errors[code].hint, retry: errors[code].retry },
});

export const startIntakeForTests = async (
  options: { token?: string; port?: number } = {},
): Promise<IntakeForTests> => {
  const taken = new Map<string, string>();

  const take = (event: unknown): IntakeResult => {
    const parsed = parseAtIntake(event);
    if (isProblem(parsed)) return { outcome: 'refused', error: failure(parsed.code, parsed.detail).error };
    const content = JSON.stringify(event);
    const before = taken.get(parsed.id);
    if (before !== undefined && before !== content)
      return { id: parsed.id, outcome: 'refused', error: failure('content-conflict', 'other content').error };
    if (before === undefined) taken.set(parsed.id, content);
    return {
      id: parsed.id,
      outcome: before === undefined ? 'accepted' : 'duplicate',
      stream: streamOf(parsed.type),
      epoch: '00000000-0000-4000-8000-000000000000',
      seq: [...taken.keys()].indexOf(parsed.id) + 1,
    };
  };
  const busy = (event: { id: string }): IntakeResult => ({
    id: event.id,
    outcome: 'refused',
    error: failure('storage-failed', 'this time').error,
  });

  const server = createServer(async (request, response) => {
    const intake = running;
    intake.requests++;
    let body = '';
    for await (const part of request) body += part;
    const answer = (status: number, value: IntakeAnswer | IntakeFailure) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    if (options.token !== undefined && request.headers.authorization !== `Bearer ${options.token}`)
      return answer(401, failure('unauthorised', 'no token'));
    const mishap = intake.mishaps.shift();
    if (mishap === 'hangs up') return request.socket.destroy();
    if (mishap === 'says nothing') return;
    if (mishap === 'stopping') return answer(503, failure('stopping', 'soon back'));
    const events = JSON.parse(body) as { id: string }[];
    const results = events.map((event, i) =>
      mishap === 'takes every second' && i % 2 === 1 ? busy(event) : take(event),
    );
    if (mishap === 'stores, then hangs up') return request.socket.destroy();
    if (mishap !== 'answers half') return answer(200, { results });
    const text = JSON.stringify({ results });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
    response.write(text.slice(0, text.length / 2), () => request.socket.destroy());
  });
  server.on('connection', () => {
    running.connections++;
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const running: IntakeForTests = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    requests: 0,
    connections: 0,
    mishaps: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return running;
};
