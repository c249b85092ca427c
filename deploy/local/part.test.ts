import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPart, type Part, type PartPlan } from './part.ts';
import { answers, eventually, freePort } from './probe.ts';
import { isAlive } from './process-table.ts';
import { supervise } from './supervise.ts';

let folder: string;
const parts: Part[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'branchline-part-'));
});
afterEach(async () => {
  for (const part of parts.splice(0)) await part.stop();
  rmSync(folder, { recursive: true });
});

/** A program that listens on a port and ends on SIGTERM, or ignores it. */
const program = (port: number, stubborn = false) =>
  `require('net').createServer().listen(${port}, '127.0.0.1'); process.on('SIGTERM', () => ${stubborn ? '{}' : 'process.exit(3)'});`;

const listener = async (
  changes: Partial<PartPlan> = {},
  stubborn = false,
): Promise<Part & { port: number }> => {
  const port = await freePort();
  const part = createPart({
    name: 'listener',
    command: [process.execPath, '-e', program(port, stubborn)],
    logFile: join(folder, 'listener.log'),
    isReady: () => answers(port),
    readyWithinMs: 10_000,
    ...changes,
  });
  parts.push(part);
  return Object.assign(part, { port });
};

test('a part is ready when it answers, and its process id is that of the program', async () => {
  const part = await listener();
  await part.start();
  expect(isAlive(part.pid as number)).toBe(true);
  part.kill('SIGKILL');
  expect(await part.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(await answers(part.port)).toBe(false);
  await part.start();
  expect(await answers(part.port)).toBe(true);
  expect(await part.stop()).toEqual({ code: 3, signal: null });
});

test('a part that ends while it starts is an error with the end of its log', async () => {
  const part = await listener({ command: ['sh', '-c', 'echo the disk is on fire; exit 4'] });
  await expect(part.start()).rejects.toThrow(/ended with code 4 while it started[\s\S]*the disk is on fire/);
});

test('a part that ignores the request to stop is killed, and a paused one is woken to hear it', async () => {
  const stubborn = await listener({ stopWithinMs: 300 }, true);
  await stubborn.start();
  expect(await stubborn.stop()).toEqual({ code: null, signal: 'SIGKILL' });
  const paused = await listener({ logFile: join(folder, 'paused.log') });
  await paused.start();
  paused.kill('SIGSTOP');
  expect(await paused.stop()).toEqual({ code: 3, signal: null });
});

test('a supervised part that dies comes back on its port, and one that was told to stop stays stopped', async () => {
  const part = await listener();
  await part.start();
  const before = part.pid;
  const events: string[] = [];
  const unwatch = supervise(part, (line) => events.push(line));
  part.kill('SIGKILL');
  const isBack = async () => part.pid !== undefined && part.pid !== before && (await answers(part.port));
  expect(await eventually(isBack, { withinMs: 10_000 })).toBe(true);
  expect(events[0]).toContain('listener ended (SIGKILL)');
  expect(await eventually(() => events.some((line) => line.includes('is back')), { withinMs: 5_000 })).toBe(
    true,
  );
  await part.stop();
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(part.pid).toBeUndefined();
  unwatch();
});

test.each([false, true])(
  'nothing is left when the launcher is killed with -9 (stubborn part: %s)',
  async (stubborn) => {
    const port = await freePort();
    const launcher = join(folder, 'launcher.ts');
    writeFileSync(
      launcher,
      `import { createPart } from ${JSON.stringify(join(import.meta.dirname, 'part.ts'))};
     import { answers } from ${JSON.stringify(join(import.meta.dirname, 'probe.ts'))};
     const part = createPart({
       name: 'child', command: [process.execPath, '-e', ${JSON.stringify(program(port, stubborn))}],
       logFile: ${JSON.stringify(join(folder, 'child.log'))}, stopWithinMs: 1_000,
       isReady: () => answers(${port}), readyWithinMs: 10_000,
     });
     await part.start();
     console.log(part.pid);
     setInterval(() => {}, 1_000);`,
    );
    const child = spawn(process.execPath, [launcher], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    expect(await eventually(() => !isAlive(pid), { withinMs: 8_000 })).toBe(true);
  },
);

test('a new launcher waits for the process that an earlier one left on the same data', async () => {
  const part = await listener();
  const old = spawn(process.execPath, [
    '-e',
    `${program(await freePort())} setTimeout(() => process.exit(), 1_200)`,
  ]);
  const file = `${part.logFile}.pid`;
  writeFileSync(file, JSON.stringify({ pid: old.pid, mark: 'setTimeout(() => process.exit(), 1_200)' }));
  await part.start();
  expect(isAlive(old.pid as number)).toBe(false);
  expect(JSON.parse(readFileSync(file, 'utf8')).pid).toBe(part.pid);
});
