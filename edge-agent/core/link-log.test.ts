import type { Log } from '@branchline/kernel/log.ts';
import { beforeEach, expect, it } from 'vitest';
import { createLinkLog } from './link-log.ts';

let now: number;
let lines: string[];
const log = {
  info: (_: object, message: string) => lines.push(message),
  warn: (fields: { reason: string }, message: string) => lines.push(`${message}: ${fields.reason}`),
} as unknown as Log;
const minutes = 60_000;

beforeEach(() => {
  now = 0;
  lines = [];
});
const create = () => createLinkLog({ monotonic: () => now }, log);

it('a broker that cannot be reached is logged at once and then every five minutes', () => {
  const link = create();
  for (; now <= 9 * minutes; now += 10_000) link.onDown('ECONNREFUSED');
  expect(lines).toEqual(['link down: ECONNREFUSED', 'link down: ECONNREFUSED']);
});

it('a link that comes and goes every second does not fill the log', () => {
  const link = create();
  for (; now <= 9 * minutes; now += 1_000) {
    link.onUp();
    link.onDown('closed');
  }
  expect(lines).toEqual(['link up', 'link down: closed', 'link up', 'link down: closed', 'link up']);
});

it('every outage of a link that has worked is logged with its end', () => {
  const link = create();
  for (let i = 0; i < 3; i++) {
    link.onUp();
    now += 2 * minutes;
    link.onDown('closed');
    now += 1_000;
  }
  expect(lines).toEqual(Array(3).fill(['link up', 'link down: closed']).flat());
});

it('a new reason is logged at once; with other figures it is the same reason', () => {
  const link = create();
  link.onUp();
  for (const reason of ['closed', 'closed', 'closed; 3 links in a row', 'closed; 4 links in a row'])
    link.onDown(reason);
  expect(lines).toEqual(['link up', 'link down: closed', 'link down: closed; 3 links in a row']);
  for (let i = 0; i < 100; i++) link.onDown('x'.repeat(i));
  expect(lines.length).toBeLessThan(15);
});
