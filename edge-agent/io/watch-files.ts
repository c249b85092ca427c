import { statSync } from 'node:fs';

/**
 * Returns a check that throws when the database or its WAL is no longer the file that was opened: SQLite goes on writing into a
 * removed file, and what it writes is lost with the process. The inode of an open file is not reused, so another file at the
 * same path has a different one.
 */
export const watchFiles = (path: string): (() => void) => {
  const opened = new Map<string, number>();
  return () => {
    for (const file of [path, `${path}-wal`]) {
      const inode = statSync(file, { throwIfNoEntry: false })?.ino;
      const known = opened.get(file);
      if (known !== undefined && known !== inode)
        throw new Error(`${file} was removed or replaced while the agent was running`);
      if (inode !== undefined) opened.set(file, inode);
    }
  };
};
