import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFolder, folderError } from './create-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'branchline-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('creates a folder and those above it for their owner only, and names the new ones', () => {
  const created = createFolder(join(folder, 'a', 'b'));
  expect(created).toEqual([join(folder, 'a'), join(folder, 'a', 'b')]);
  for (const each of created) expect(statSync(each).mode & 0o777).toBe(0o700);
  expect(createFolder(join(folder, 'a', 'b'))).toEqual([]);
});

it('leaves the rights of a folder that exists', () => {
  mkdirSync(join(folder, 'open'), { mode: 0o755 });
  createFolder(join(folder, 'open'));
  expect(statSync(join(folder, 'open')).mode & 0o777).toBe(0o755);
});

it.skipIf(process.platform !== 'linux')('an impossible folder is an error, and no endless loop', () => {
  expect(() => createFolder('/proc/nowhere/data')).toThrow(/ENOENT/);
});

it('a file, and a link that leads nowhere, are errors', () => {
  writeFileSync(join(folder, 'file'), '');
  symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
  expect(() => createFolder(join(folder, 'file'))).toThrow('is not a folder');
  expect(() => createFolder(join(folder, 'file', 'data'))).toThrow(/ENOTDIR/);
  expect(() => createFolder(join(folder, 'link'))).toThrow(/EEXIST/);
});

it('to ask whether a folder can be created leaves none behind', () => {
  expect(folderError(join(folder, 'a', 'b'))).toBeUndefined();
  expect(existsSync(join(folder, 'a'))).toBe(false);
  expect(folderError(folder)).toBeUndefined();
  expect(existsSync(folder)).toBe(true);
  writeFileSync(join(folder, 'file'), '');
  expect(folderError(join(folder, 'file', 'data'))?.code).toBe('ENOTDIR');
});

it('processes that ask and create below one parent at once do not get in each other’s way', async () => {
  const module = JSON.stringify(new URL('./create-folder.ts', import.meta.url).href);
  const code = `
    const { createFolder, folderError } = await import(${module});
    const path = process.argv[1];
    for (let i = 0; i < 2_000; i++) {
      const error = folderError(path);
      if (error !== undefined) throw error;
    }
    createFolder(path);`;
  const run = promisify(execFile);
  const paths = ['a', 'b', 'c'].map((name) => join(folder, 'shared', name));
  await Promise.all(
    paths.map((path) => run(process.execPath, ['--input-type=module', '--eval', code, path])),
  );
  expect(paths.every((path) => existsSync(path))).toBe(true);
});
