import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Another process that checks whether it could create a folder removes what it created: see `folderError`. */
const triesMax = 50;

/**
 * Creates a folder and its missing parents, for their owner only, and returns the new ones, outermost first. Node's own
 * recursive mkdir never returns where the system answers ENOENT although the parent exists, as it does below /proc.
 */
export const createFolder = (path: string): string[] => {
  for (let triesLeft = triesMax; ; triesLeft--) {
    try {
      return createMissing(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== 'ENOENT' && code !== 'EEXIST') || triesLeft === 0) throw error;
    }
  }
};

const createMissing = (path: string): string[] => {
  const missing: string[] = [];
  for (let at = resolve(path); statSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at))
    missing.unshift(at);
  for (const folder of missing) {
    try {
      mkdirSync(folder, { mode: 0o700 });
    } catch (error) {
      // Another process may have created it first.
      if (!isFolder(folder)) throw error;
    }
  }
  if (!isFolder(path)) throw new Error(`${path} is not a folder`);
  return missing;
};

/** Why the folder cannot be created, as an error; undefined if it can. Leaves no folder behind. */
export const folderError = (path: string): NodeJS.ErrnoException | undefined => {
  try {
    removeEmpty(createFolder(path));
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
};

/** Innermost first, down to one in which another process has created something meanwhile. */
const removeEmpty = (folders: readonly string[]): void => {
  try {
    for (const folder of folders.toReversed()) rmdirSync(folder);
  } catch {
    // By now it is known that they can be created.
  }
};
