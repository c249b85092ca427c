import { chmodSync, existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The agent's files hold sales, so only its user may read them. The process's umask takes care of new files; this covers those
 * of earlier versions, restored backups, and folders made by somebody else.
 */
const isOurs = (name: string): boolean => /^(events\.db|\.room$)/.test(name);
const forOthers = 0o077;

/** Returns a sentence for each file or folder that stays open to others. */
export const makePrivate = (dataDir: string): string[] => {
  // On Windows a new file inherits its permissions from the folder.
  if (!existsSync(dataDir) || process.platform === 'win32') return [];
  const folder = realpathSync(dataDir);
  const problems: string[] = [];
  const close = (path: string, mode: number) => {
    try {
      const entry = lstatSync(path);
      if (!entry.isSymbolicLink() && (entry.mode & forOthers) !== 0) chmodSync(path, mode);
    } catch (error) {
      problems.push(`${path} can be read by other users: ${(error as Error).message}`);
    }
  };
  const names = readdirSync(folder);
  for (const name of names.filter(isOurs)) close(join(folder, name), 0o600);
  const foreign = names.find((name) => !isOurs(name));
  if (foreign === undefined) close(folder, 0o700);
  else if ((lstatSync(folder).mode & forOthers) !== 0)
    problems.push(
      `${folder} is open to other users and also holds ${foreign}: chmod 700 it, or give the agent a dataDir of its own`,
    );
  return problems;
};
