import { expect, test } from 'vitest';
import { type DatabaseFacts, whyReplaced } from './incarnation.ts';

const server = { systemId: '7', timeline: '1' };
const facts: DatabaseFacts = {
  ...{ id: 'a', noted: server, server, identity: 'a/1', walEnd: 1_000n, highestSiteId: 5, highestItemId: 9 },
  positions: new Map([['pos/0', 100]]),
};
const after = (more: Partial<DatabaseFacts>, before: DatabaseFacts | undefined = facts) =>
  whyReplaced(before, { ...facts, ...more });

test('K1 a database that only grows is the same one', () => {
  const grown = { walEnd: 1_001n, highestSiteId: 6, positions: new Map([['pos/0', 101]]) };
  expect(after(grown)).toBeUndefined();
  expect(after({}, undefined)).toBeUndefined();
  // The server's start is in the identity, and a mere restart loses nothing.
  expect(after({ identity: 'a/2' })).toBeUndefined();
});

test.each<[string, Partial<DatabaseFacts>]>([
  ['timeline', { server: { ...server, timeline: '2' } }],
  ['another server', { server: { systemId: '8', timeline: '1' } }],
  ['write-ahead log', { walEnd: 999n }],
  ['ids of its names', { highestItemId: 8 }],
  ['ids of its names', { highestSiteId: 4 }],
  ['position of pos/0', { positions: new Map([['pos/0', 99]]) }],
])('K1 a database is another one when this differs: %s', (why, more) => {
  expect(after(more)).toContain(why);
});

test('K1 another server or timeline is noticed at the first poll, by what the database noted', () => {
  expect(whyReplaced(undefined, { ...facts, noted: { ...server, timeline: '2' } })).toContain('timeline');
});

test('what the role may not read, or was never recorded, says nothing', () => {
  const unknown = { systemId: undefined, timeline: undefined };
  expect(after({ noted: unknown })).toBeUndefined();
  expect(after({ server: unknown, walEnd: undefined })).toBeUndefined();
});

test('a log that is read again from its beginning is no sign: its partition has no position meanwhile', () => {
  expect(after({ positions: new Map() })).toBeUndefined();
  expect(after({ positions: new Map([['pos/0 of another topic', 3]]) })).toBeUndefined();
});
