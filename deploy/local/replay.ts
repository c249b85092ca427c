import { setTimeout as sleep } from 'node:timers/promises';
import type { ProgressDisplay } from './progress-display.ts';
import type { ResendAsk } from './replay-options.ts';

/** What `/api/v1/replays/{id}` tells of a request. */
type Resend = {
  id: string;
  state: 'asked' | 'sent' | 'running' | 'done' | 'unanswered';
  events: number | null;
  left: number | null;
  newInBooks: number | null;
};

const askEveryMs = 500;

const call = async <T>(url: string, init: RequestInit = {}): Promise<T> => {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) });
  const body = (await response.json()) as T & { detail?: string; hint?: string };
  if (response.ok) return body;
  throw new Error([body.detail ?? `answer ${response.status}`, body.hint].filter(Boolean).join(' '));
};

const line = ({ state, events, left }: Resend): string =>
  state === 'running' && events !== null && left !== null
    ? `sending: ${events - left} of ${events} events`
    : state === 'sent'
      ? 'the agent was asked; it has not answered yet'
      : `${state} …`;

const count = (n: number | null, what: string): string =>
  `${(n ?? 0).toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;

const verdict = ({ site, stream }: ResendAsk, { events, newInBooks }: Resend): string => {
  if (events === 0) return `${site} keeps no event of what was asked for; older ones are released already.`;
  const gained = `The books gained ${count(newInBooks, 'event')} of ${site}, stream ${stream}, meanwhile`;
  return `${site} has sent ${count(events, 'event')} again. ${gained}${newInBooks === 0 ? ': nothing was missing.' : ', live ones included.'}`;
};

/** Asks through the report API at `reports`, and follows until it is over. True when the agent has sent everything. */
export const resend = async (
  reports: string,
  ask: ResendAsk,
  display: ProgressDisplay,
  say: (line: string) => void,
): Promise<boolean> => {
  let now = await call<Resend>(`${reports}/api/v1/replays`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ask),
  });
  while (now.state !== 'done' && now.state !== 'unanswered') {
    display.show(`  ${line(now)}`);
    await sleep(askEveryMs);
    now = await call<Resend>(`${reports}/api/v1/replays/${now.id}`);
  }
  display.end();
  say(
    now.state === 'done'
      ? verdict(ask, now)
      : `${ask.site} did not answer for ten minutes. Is its plug pulled? npm run fleet -- status shows it; ask again when it is back.`,
  );
  return now.state === 'done';
};
