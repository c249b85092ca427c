import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NoRoomError, noRoomOf, probeRoom } from './room.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'branchline-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const noRoom = (code: string) =>
  noRoomOf(Object.assign(new Error(code), { code }), join(directory, 'events.db'));

it('a full disk, a spent quota and a read-only disk are the same to a till', () => {
  expect(['ENOSPC', 'EDQUOT', 'EROFS'].map(noRoom)).toEqual([
    { code: 'disk-full', reason: 'the disk is full' },
    { code: 'disk-full', reason: "the disk quota of the agent's user is used up" },
    { code: 'disk-full', reason: 'the disk is read-only' },
  ]);
  expect(noRoomOf(new NoRoomError('the disk is full'), directory)).toMatchObject({ code: 'disk-full' });
});

it("where there is room, SQLite's limit is the budget, and its I/O errors are a failing disk", () => {
  expect(noRoom('SQLITE_FULL')?.code).toBe('disk-budget-spent');
  expect(['SQLITE_IOERR_WRITE', 'SQLITE_IOERR_FSYNC', 'SQLITE_CORRUPT', 'EIO'].map(noRoom)).toEqual(
    Array(4).fill(undefined),
  );
});

it('looking for room leaves nothing behind', () => {
  expect(probeRoom(directory)).toBeUndefined();
  expect(readdirSync(directory)).toEqual([]);
});
