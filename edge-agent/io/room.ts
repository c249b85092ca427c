import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Whether a write failed because the disk takes none at the moment: it is full, a quota is used up, or it is read-only.
 * SQLite says "full" for ENOSPC only, and an I/O error for the rest, so a small file is written to learn the reason.
 */

/** The database cannot be opened before the disk takes writes. */
export class NoRoomError extends Error {
  override name = 'NoRoomError';
}

const reasons: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: "the disk quota of the agent's user is used up",
  EROFS: 'the disk is read-only',
};

/**
 * SQLite's codes for writes that the system refused. Not a failed sync: afterwards nobody knows what the disk holds, so
 * only a restart may go on.
 */
const refusedWrite =
  /^SQLITE_(FULL|IOERR_WRITE|IOERR_TRUNCATE|IOERR_SHM|CANTOPEN|READONLY)|^E(NOSPC|DQUOT|ROFS)$/;

export const reasonOfErrno = (code: string | undefined): string | undefined =>
  code === undefined ? undefined : reasons[code];

/** The size of the largest write that SQLite makes at once, so that a few free blocks do not hide a full disk. */
const probeBytes = 64 * 1024;

/** Why `directory` takes no writes; undefined when it does. */
export const probeRoom = (directory: string): string | undefined => {
  const path = join(directory, '.room');
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'w', 0o600);
    for (let left = probeBytes; left > 0; ) left -= writeSync(descriptor, Buffer.alloc(left));
    fsyncSync(descriptor);
    return undefined;
  } catch (error) {
    return reasonOfErrno((error as NodeJS.ErrnoException).code);
  } finally {
    if (descriptor !== undefined) {
      closeSync(descriptor);
      unlinkSync(path);
    }
  }
};

export type NoRoom = { code: 'disk-full' | 'disk-budget-spent'; reason: string };

/** Why the disk of `path` takes no writes, if that is what `error`, or its cause, comes from; undefined for any other failure. */
export const noRoomOf = (error: unknown, path: string): NoRoom | undefined => {
  if (error instanceof NoRoomError) return { code: 'disk-full', reason: error.message };
  const { code } = ((error as Error).cause ?? error) as { code?: string };
  if (code === undefined || !refusedWrite.test(code)) return undefined;
  const reason = reasonOfErrno(code) ?? probeRoom(dirname(path));
  if (reason !== undefined) return { code: 'disk-full', reason };
  // `max_page_count`, not the disk, set the limit.
  return code === 'SQLITE_FULL'
    ? { code: 'disk-budget-spent', reason: 'the database has reached its size limit' }
    : undefined;
};
