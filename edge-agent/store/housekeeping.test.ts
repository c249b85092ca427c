import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@branchline/kernel/clock.ts';
import type { Range } from '@branchline/kernel/ranges.ts';
import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EventTable } from '../io/event-table.ts';
import { openDatabase } from '../io/open-database.ts';
import { startHousekeeping } from './housekeeping.ts';
import { createRoom } from './room.ts';

let directory: string;
let database: Database;
let table: EventTable;
let failed: unknown[];
let housekeeping: ReturnType<typeof startHousekeeping>;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'branchline-'));
  const path = join(directory, 'events.db');
  database = openDatabase(path, { site: 'store-0001', agent: 'edge-1', fileBytesMax: 64 * 1024 * 1024 });
  const room = createRoom(
    { database },
    { path, site: 'store-0001', agent: 'edge-1', fileBytesMax: 64 * 1024 * 1024 },
    randomUUID,
    Date.now,
  );
  table = room.table();
  failed = [];
  housekeeping = startHousekeeping({
    options: {
      path,
      site: 'store-0001',
      agent: 'edge-1',
      diskBudgetBytes: 64 * 1024 * 1024,
      archiveKeepMs: 0,
      groupCommitMs: 0,
    },
    room,
    clock: systemClock,
    post: () => {},
    touch: () => {},
    fail: (error) => failed.push(error),
    isClosing: () => false,
    figures: () => ({
      databaseBytes: 0,
      walBytes: 0,
      damagedRows: 0,
      retired: 0,
      damagedFiles: 0,
      isSalvaging: false,
    }),
    eventsTouched: () => 0,
    isQuiet: () => true,
    returnMemory: () => {},
  });
});
afterEach(() => {
  housekeeping.stop();
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

it('a position that a full disk did not take is kept once there is room again', () => {
  const [accepted] = table.accept([{ stream: 'pos', id: 'a', text: '{}', contentAt: 0 }], 1, () => true);
  const { epoch } = accepted as { epoch: string };
  const recorded = Array.from({ length: 1_000 }, (_, i): Range => [2 * i + 1, 2 * i + 1]);
  const pages = (max: number) => database.pragma(`max_page_count = ${max}`);

  pages(database.pragma('page_count', { simple: true }) as number);
  housekeeping.keepLater([{ stream: 'pos', epoch, recorded, appliedTo: 1, releaseTo: 1 }]);
  housekeeping.keep();
  expect(table.sources()[0]).toMatchObject({ recorded: [], appliedTo: 0 });
  pages(10_000);
  housekeeping.keep();
  expect(table.sources()[0]).toMatchObject({ recorded, appliedTo: 1 });
  expect(failed).toEqual([]);
});
