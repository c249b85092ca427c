import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sale } from '@branchline/testing/world/agent-events.ts';
import { eventually, startTestAgent, type TestAgent } from '@branchline/testing/world/agent-process.ts';
import { startTestBridge, type TestBridge } from '@branchline/testing/world/bridge-double.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';

/** A real agent whose database file has lost pages. */

const pageBytes = 4096;
const accepted = 1_000;

let directory: string;
let bridge: TestBridge;
let agents: TestAgent[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'branchline-'));
  agents = [];
  bridge = await startTestBridge();
});
afterEach(async () => {
  for (const agent of agents) await agent.stop('SIGKILL');
  await bridge.stop();
  rmSync(directory, { recursive: true, force: true });
});

const file = () => join(directory, 'events.db');
const start = async (mqtt: string) => {
  const agent = await startTestAgent(directory, mqtt);
  agents.push(agent);
  return agent;
};
const fillOffline = async () => {
  const agent = await start('mqtt://127.0.0.1:1');
  for (let first = 1; first <= accepted; first += 500)
    await agent.post(Array.from({ length: 500 }, (_, i) => sale(first + i)));
  await agent.stop();
};
const numbers = () =>
  new Set([...bridge.events.values()].map((json) => Number(/"sequenceNumber":(\d+)/.exec(json)?.[1])));

/** Pages of rows are table leaves (type 13); the tree above them has type 5. */
const pageWith = (isIt: (page: Buffer) => boolean, from = 0.5): number => {
  const bytes = readFileSync(file());
  for (let page = Math.floor((bytes.length / pageBytes) * from); page < bytes.length / pageBytes; page++)
    if (isIt(bytes.subarray(page * pageBytes, (page + 1) * pageBytes))) return page;
  throw new Error('there is no such page');
};
const isLeaf = (page: Buffer) => page[0] === 13 && page.includes('recordedtime');
const zero = (page: number, bytes: number) => {
  const descriptor = openSync(file(), 'r+');
  writeSync(descriptor, Buffer.alloc(bytes), 0, bytes, page * pageBytes);
  closeSync(descriptor);
};
const cutPages = (count: number) => truncateSync(file(), readFileSync(file()).length - count * pageBytes);

const damages = {
  'the header of a leaf page is zeroed': { damage: () => zero(pageWith(isLeaf), 8), lostMax: 20 },
  'a leaf page is zeroed': { damage: () => zero(pageWith(isLeaf), pageBytes), lostMax: 20 },
  'the file is cut at its end': { damage: () => cutPages(3), lostMax: 60 },
  'an inner page is zeroed': {
    damage: () =>
      zero(
        pageWith((page) => page[0] === 5, 0),
        pageBytes,
      ),
    lostMax: accepted,
  },
  'the first page is zeroed': { damage: () => zero(0, pageBytes), lostMax: accepted },
  'the file is not a database': {
    damage: () => {
      const descriptor = openSync(file(), 'r+');
      writeSync(descriptor, 'nothing that SQLite knows', 0);
      closeSync(descriptor);
    },
    lostMax: accepted,
  },
};

it.each(Object.entries(damages))(
  'E2 %s: selling goes on, and every event that can be read is sent',
  { timeout: 60_000 },
  async (_, { damage, lostMax }) => {
    await fillOffline();
    damage();
    const agent = await start(bridge.url);
    expect((await agent.post(sale(5_001))).status).toBe(201);
    await eventually(async () => {
      const { damagedFiles, salvaging } = await agent.status();
      return damagedFiles === 1 && !salvaging && numbers().has(5_001) ? true : undefined;
    }, 'the readable rows are taken over');
    await eventually(() => (numbers().size > accepted - lostMax ? true : undefined), 'they are sent');
    const lost = accepted + 1 - numbers().size;
    expect(lost).toBeLessThanOrEqual(lostMax);
    expect(agent.log()).toMatch(/the database is damaged; a new one takes its place/);
    expect(readdirSync(directory).filter((name) => name.startsWith('events.db.salvaged-')).length).toBe(1);
    // Sent under the epochs that it was accepted with: a second delivery would be a duplicate.
    expect(bridge.events.size).toBe(numbers().size);

    expect((await agent.post(sale(5_002))).status).toBe(201);
    expect((await agent.post(sale(5_001))).status).toBe(200);
    expect(await agent.stop()).toBe(0);
    const again = await start(bridge.url);
    expect((await again.post(sale(5_003))).status).toBe(201);
    expect((await again.status()).damagedFiles).toBe(1);
  },
);

/** The database that a start names to the hub. */
const databaseOfNextStart = async () => {
  bridge.statuses.length = 0;
  const agent = await start(bridge.url);
  const birth = await eventually(
    async () => bridge.statuses.find(({ status }) => status === 'birth'),
    'the agent is heard from',
  );
  expect(birth.uptimeMs).toBeGreaterThanOrEqual(0);
  await agent.stop();
  return birth.database;
};

it('E3 the hub is told which database it is: the same after a restart, another one after the disk was lost', async () => {
  await fillOffline();
  const database = await databaseOfNextStart();
  expect(database).toMatch(/^[0-9a-f-]{36}$/);
  expect(await databaseOfNextStart()).toBe(database);
  rmSync(file());
  rmSync(`${file()}-wal`, { force: true });
  expect(await databaseOfNextStart()).not.toBe(database);
});

it('E3 a damaged database whose epochs were taken over is the same to the hub: what it lost is a gap there', async () => {
  await fillOffline();
  const database = await databaseOfNextStart();
  damages['a leaf page is zeroed'].damage();
  expect(await databaseOfNextStart()).toBe(database);
  expect(await databaseOfNextStart()).toBe(database);
});

it('E3 a damaged database whose epochs cannot be read is another one to the hub: what it lost is unknown', async () => {
  await fillOffline();
  const database = await databaseOfNextStart();
  damages['the first page is zeroed'].damage();
  const successor = await databaseOfNextStart();
  expect(successor).not.toBe(database);
  expect(await databaseOfNextStart()).toBe(successor);
});
