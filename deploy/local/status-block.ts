import type { Snapshot } from './snapshot.ts';

const count = (n: number): string => n.toLocaleString('en-US').padStart(12);

const duration = (seconds: number): string => {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return `${h}:${String(m).padStart(2, '0')}:${String(s).padStart(2, '0')}`;
};

const lag = ({ lagSeconds }: Snapshot): string =>
  lagSeconds === undefined ? 'unknown' : `${lagSeconds.toFixed(1)} s`;

/** Cuts long lists, because the block has a fixed size on the screen. */
const some = (names: string[]): string =>
  names.length <= 4 ? names.join(', ') : `${names.slice(0, 4).join(', ')} and ${names.length - 4} more`;

/** `store` is the one that the hints disconnect, `addresses` the path of the run file. */
export type Hints = { dashboard: string; store: string | undefined; addresses: string };

/** The block that `npm start` redraws in place. `seconds` is the uptime. */
export const statusBlock = (
  now: Snapshot,
  seconds: number,
  { dashboard, store, addresses }: Hints,
): string[] => [
  '',
  `  Branchline   up ${duration(seconds)}   sites online ${now.online}, offline ${now.offline.length}${
    now.offline.length === 0 ? '' : ` (${some(now.offline)})`
  }`,
  '',
  `  accepted  ${count(now.accepted)}     pending     ${count(now.pending)}`,
  `  recorded  ${count(now.recorded)}     duplicates  ${count(now.duplicates)}`,
  `  applied   ${count(now.applied)}     lag         ${lag(now).padStart(12)}`,
  '',
  now.down.length === 0 ? '  all components are running' : `  restarting: ${some(now.down)}`,
  `  dashboard                  ${dashboard}`,
  ...(store === undefined
    ? ['  the broker is elsewhere: stores cannot be disconnected here']
    : [
        `  disconnect a store         npm run fleet -- offline ${store}`,
        `  and reconnect it           npm run fleet -- online ${store}`,
      ]),
  `  addresses and process ids  ${addresses}`,
  '  stop                       Ctrl-C',
  '',
];

/** The same on one line, for a pipe or a log. */
export const statusLine = (now: Snapshot, seconds: number): string =>
  `up ${duration(seconds)} online ${now.online} offline ${now.offline.length} accepted ${now.accepted} recorded ${now.recorded} ` +
  `applied ${now.applied} pending ${now.pending} duplicates ${now.duplicates} lag ${lag(now)}` +
  (now.down.length === 0 ? '' : ` restarting ${some(now.down)}`);
