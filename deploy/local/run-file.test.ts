import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimRunFile, isRunning, type RunFile, readRunFile, writeRunFile } from './run-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'branchline-run-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (pid: number): RunFile => ({ pid, startedAt: '2026-01-02T03:04:05.000Z', state: 'starting' });

test('the run file of a killed launcher is replaced, and only its owner may read the new one', async () => {
  const file = join(folder, 'run.json');
  // Process 1 is alive on every machine and is not this launcher: it stands for a reused process id.
  writeRunFile(file, run(1));
  let stale = 0;
  expect(
    await claimRunFile(file, run(process.pid), () => {
      stale += 1;
    }),
  ).toBeUndefined();
  expect(stale).toBe(1);
  expect(readRunFile(file)?.pid).toBe(process.pid);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a process that has ended is not running', async () => {
  expect(await isRunning(run(2 ** 22 + 1))).toBe(false);
});
