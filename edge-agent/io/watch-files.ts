import { statSync } from 'node:fs';

/**
 * Throws when the database or its WAL is not the file any more that was opened: SQLite goes on writing into a file that has
 * been removed, and what it writes is gone with the process. An open file's inode is not used again, so another file at its
 * path has another one.
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
