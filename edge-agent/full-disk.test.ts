import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sale } from '@branchline/testing/world/agent-events.ts';
import { eventually, startTestAgent, type TestAgent } from '@branchline/testing/world/agent-process.ts';
import {
  recordedReceipt,
  startTestBridge,
  type TestBridge,
} from '@branchline/testing/world/bridge-double.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** A real agent on small file systems of its own, which are filled or made read-only under it. */

const fileSystems = {
  tmpfs: (at: string) => execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', at]),
  'ext4, blocks of 1 KiB': (at: string) => mountImage(at, 1_024),
  'ext4, blocks of 4 KiB': (at: string) => mountImage(at, 4_096),
};
const mountImage = (at: string, blockBytes: number) => {
  const image = `${at}.img`;
  execFileSync('truncate', ['-s', '32M', image]);
  execFileSync('mkfs.ext4', ['-q', '-b', String(blockBytes), '-m', '0', image]);
  execFileSync('mount', ['-o', 'loop', image, at]);
};

let root: string;
let disk: string;
let dataDir: string;
let bridge: TestBridge;
let agents: TestAgent[];

const canMount = (mount: (at: string) => void): boolean => {
  const probe = mkdtempSync(join(tmpdir(), 'branchline-'));
  const at = join(probe, 'disk');
  mkdirSync(at);
  try {
    mount(at);
    return spawnSync('umount', [at]).status === 0;
  } catch {
    return false;
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
};

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'branchline-'));
  disk = join(root, 'disk');
  dataDir = join(disk, 'agent');
  mkdirSync(disk);
  agents = [];
  bridge = await startTestBridge();
});
afterEach(async () => {
  for (const agent of agents) await agent.stop('SIGKILL');
  await bridge.stop();
  spawnSync('umount', ['-l', disk]);
  rmSync(root, { recursive: true, force: true });
});

const start = async () => {
  const agent = await startTestAgent(dataDir, bridge.url, ['--disk-budget-bytes', String(8 * 1024 * 1024)]);
  agents.push(agent);
  return agent;
};
const fill = () => {
  const descriptor = openSync(join(disk, 'fill'), 'a');
  for (const bytes of [65_536, 4_096, 512])
    try {
      for (;;) writeSync(descriptor, Buffer.alloc(bytes));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
  closeSync(descriptor);
};
const makeRoom = () => rmSync(join(disk, 'fill'));
const remount = (mode: 'ro' | 'rw') => execFileSync('mount', ['-o', `remount,${mode}`, disk]);

const postUntil = async (agent: TestAgent, first: number, status: number) => {
  let number = first;
  const answer = await eventually(async () => {
    const response = await agent.post(sale(number++));
    return response.status === status ? response : undefined;
  }, `the intake answers ${status}`);
  return { number, answer };
};
const acceptedBacklog = async (count: number) => {
  bridge.answerTo = () => undefined;
  const agent = await start();
  for (let number = 1; number <= count; number++) expect((await agent.post(sale(number))).status).toBe(201);
  return agent;
};
/** Everything accepted reaches the bridge, although the disk takes no writes. */
const backlogLeaves = async (agent: TestAgent, count: number) => {
  bridge.events.clear();
  bridge.answerTo = recordedReceipt;
  await eventually(() => (bridge.events.size === count ? true : undefined), 'the backlog leaves');
  await eventually(async () => ((await agent.status()).pending === 0 ? true : undefined), 'receipts count');
};

for (const [name, mount] of Object.entries(fileSystems)) {
  const skipped = !canMount(mount);
  if (skipped) console.warn(`SKIPPED: full disks on ${name} need root and loop mounts`);
  describe.skipIf(skipped)(`on ${name}`, { timeout: 60_000 }, () => {
    beforeEach(() => mount(disk));

    it('a disk that another program fills: 503 with the reason, a clean stop, and events again once there is room', async () => {
      const agent = await start();
      expect((await agent.post(sale(1))).status).toBe(201);
      fill();
      const { answer, number } = await postUntil(agent, 2, 503);
      expect(answer.json.error).toMatchObject({ code: 'disk-full', retry: true });
      expect(answer.headers.get('retry-after')).toBe('5');
      await eventually(
        async () => ((await agent.status()).noRoom === 'the disk is full' ? true : undefined),
        'the status says so',
      );
      makeRoom();
      await postUntil(agent, number, 201);
      await eventually(async () => ((await agent.status()).noRoom === null ? true : undefined), 'room again');

      fill();
      await postUntil(agent, 5_000, 503);
      expect(await agent.stop()).toBe(0);
      expect(agent.log()).not.toMatch(/the disk failed|fatal/);
    });

    it.each(['SIGTERM', 'SIGKILL'] as const)(
      'a start on a full disk after %s: the backlog leaves, and events are accepted again once there is room',
      async (signal) => {
        await (await acceptedBacklog(40)).stop(signal);
        fill();
        const agent = await start();
        await backlogLeaves(agent, 40);
        const refused = await agent.post(sale(41));
        expect([refused.status, refused.json.error.code]).toEqual([503, 'disk-full']);
        expect(agent.log()).toMatch(/the disk takes no writes/);
        makeRoom();
        await postUntil(agent, 41, 201);
        expect(await agent.stop()).toBe(0);
      },
    );

    it('a first start on a full disk refuses events until there is room', async () => {
      fill();
      const agent = await start();
      const refused = await agent.post(sale(1));
      expect([refused.status, refused.json.error.code]).toEqual([503, 'disk-full']);
      makeRoom();
      await postUntil(agent, 1, 201);
      expect(await agent.stop()).toBe(0);
    });

    it.each(['SIGTERM', 'SIGKILL'] as const)(
      'a start on a read-only disk after %s: the backlog leaves, and events are accepted again once it is writable',
      async (signal) => {
        await (await acceptedBacklog(40)).stop(signal);
        remount('ro');
        const agent = await start();
        await backlogLeaves(agent, 40);
        const refused = await agent.post(sale(41));
        expect([refused.status, refused.json.error.code]).toEqual([503, 'disk-full']);
        expect((await agent.status()).noRoom).toBe('the disk is read-only');
        remount('rw');
        appendFileSync(join(disk, 'writable'), '');
        await postUntil(agent, 41, 201);
        await eventually(
          async () => ((await agent.status()).pending === 0 ? true : undefined),
          'the new sale is recorded',
        );
        expect(await agent.stop()).toBe(0);
      },
    );
  });
}
