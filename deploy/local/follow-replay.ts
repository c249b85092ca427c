import { setTimeout as sleep } from 'node:timers/promises';
import type { ProgressDisplay } from './progress-display.ts';
import type { ReplayRequest } from './replay-options.ts';

/** What `/api/v1/replays/{id}` says about a request. */
type Replay = {
  id: string;
  state: 'asked' | 'sent' | 'running' | 'done' | 'unanswered';
  events: number | null;
  left: number | null;
  newInBooks: number | null;
};

const pollMs = 500;

/** The message is for the person who asked. */
export class ReplayError extends Error {
  override name = 'ReplayError';
}

const call = async <T>(url: string, init: RequestInit = {}): Promise<T> => {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) }).catch(() => {
    throw new ReplayError(
      'Replays need the reports service, which is not running.\n' +
        'npm start restarts it within seconds; if it keeps ending, its log says why: reports.log.',
    );
  });
  const body = (await response.json().catch(() => ({}))) as T & { detail?: string; hint?: string };
  if (response.ok) return body;
  throw new ReplayError(
    [body.detail ?? `The report API answered ${response.status}.`, body.hint].filter(Boolean).join('\n'),
  );
};

const line = ({ state, events, left }: Replay): string => {
  if (state !== 'running') return 'waiting for the agent to answer …';
  return events === null || left === null ? 'sending …' : `sent ${events - left} of ${events} events`;
};

const count = (n: number | null, what: string): string =>
  `${(n ?? 0).toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;

const verdict = ({ site, stream }: ReplayRequest, { events, newInBooks }: Replay): string => {
  if (events === 0)
    return `${site} keeps no event of that range: it accepted none, or they have been released since.`;
  const sent = `${site} has sent ${count(events, 'event')} again.`;
  return newInBooks === 0
    ? `${sent} Nothing was missing in the books.`
    : `${sent} Meanwhile the books gained ${count(newInBooks, 'event')} of ${site}, stream ${stream}, live ones included.`;
};

/** Asks through the report API at `reports` and follows the replay to its end. Throws ReplayError when it fails. */
export const followReplay = async (
  reports: string,
  request: ReplayRequest,
  display: ProgressDisplay,
): Promise<string> => {
  let now = await call<Replay>(`${reports}/api/v1/replays`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  try {
    while (now.state !== 'done' && now.state !== 'unanswered') {
      display.show(`  ${line(now)}`);
      await sleep(pollMs);
      now = await call<Replay>(`${reports}/api/v1/replays/${now.id}`);
    }
  } finally {
    display.end();
  }
  if (now.state === 'done') return verdict(request, now);
  throw new ReplayError(
    `${request.site} did not answer for ten minutes. Is it disconnected? npm run fleet -- status shows it; ask again when it is back.`,
  );
};
