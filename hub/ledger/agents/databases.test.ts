import { expect, test } from 'vitest';
import { databaseAfter, type HeardDatabase, type KnownDatabase, noticeDatabase } from './databases.ts';

const hour = 3_600_000;
const noon = Date.UTC(2026, 10, 23, 12);
const heard = (change: Partial<HeardDatabase> = {}): HeardDatabase => ({
  id: 'old',
  session: 'one',
  heardAt: noon,
  accountsTo: noon - 1_000,
  uptimeMs: 10 * hour,
  isBirth: false,
  highest: new Map([['pos/a', 100]]),
  ...change,
});
const known = (change: Partial<HeardDatabase> = {}): KnownDatabase => databaseAfter(undefined, heard(change));
const after = (change: Partial<HeardDatabase>) =>
  noticeDatabase(known(), heard({ session: 'two', heardAt: noon + 4 * hour, uptimeMs: hour, ...change }));

test('the first status says since when the agent has accepted events', () => {
  expect(noticeDatabase(undefined, heard())).toEqual({ firstAt: noon - 10 * hour });
});

test('a restart with the same database loses nothing, whichever epochs it names', () => {
  expect(after({})).toEqual({});
  expect(after({ highest: new Map([['pos/b', 3]]) })).toEqual({});
  expect(after({ isBirth: true, highest: new Map() })).toEqual({});
});

test('a new database leaves unknown what the old one accepted after its last status', () => {
  const highest = new Map([['pos/b', 3]]);
  expect(after({ id: 'new', highest })).toEqual({
    lost: { id: 'old', reason: 'database-replaced', since: noon - 1_000, until: noon + 3 * hour },
    back: { id: 'new' },
  });
});

test('a database that is replaced while the agent runs is unknown until its successor is heard from', () => {
  expect(after({ id: 'new', session: 'one', uptimeMs: 14 * hour }).lost).toMatchObject({
    since: noon - 1_000,
    until: noon + 4 * hour,
  });
});

test('a database that lacks seqs which it reported before is an older copy of itself', () => {
  expect(after({ highest: new Map([['pos/a', 99]]) }).lost).toEqual({
    id: 'old',
    reason: 'database-restored',
    since: noon - 1_000,
    until: noon + 3 * hour,
  });
  // In one session it is an overtaken status.
  expect(after({ session: 'one', highest: new Map([['pos/a', 99]]) })).toEqual({});
});

test('an agent that names no database has another one when its birth names nothing that it named before', () => {
  const unnamed = { id: undefined, highest: new Map([['pos/b', 0]]) };
  expect(after({ ...unnamed, isBirth: true }).lost).toMatchObject({ reason: 'database-replaced' });
  // A later status names only sources with unapplied events, and the newest one.
  expect(after(unnamed)).toEqual({});
  expect(after({ id: undefined, isBirth: true })).toEqual({});
});

test('an agent that begins to name its database, after an update, has lost nothing', () => {
  const before = known({ id: undefined });
  expect(noticeDatabase(before, heard({ session: 'two', heardAt: noon + hour, isBirth: true }))).toEqual({});
});

test('a status that Kafka recorded before the last one changes nothing', () => {
  const late = heard({ id: 'new', session: 'two', heardAt: noon - 1 });
  expect(noticeDatabase(known(), late)).toEqual({});
  expect(databaseAfter(known(), late)).toEqual(known());
});

test('nothing is known about the time before if no status of the lost database could be dated', () => {
  const lost = noticeDatabase(
    known({ accountsTo: null }),
    heard({ id: 'new', session: 'two', heardAt: noon + hour, uptimeMs: 0 }),
  ).lost;
  expect(lost).toMatchObject({ since: null, until: noon + hour });
});

test('an agent that was retired and is heard from again is back', () => {
  const retired = { ...known(), isRetired: true };
  expect(noticeDatabase(retired, heard({ heardAt: noon + hour }))).toEqual({ back: { id: 'old' } });
  // Updated while retired: it was retired without an id, and is the same database.
  const unnamed = { ...known({ id: undefined }), isRetired: true };
  const updated = heard({ session: 'two', heardAt: noon + hour });
  expect(noticeDatabase(unnamed, updated)).toEqual({ back: { id: undefined } });
});
