import { statfs } from 'node:fs/promises';

/** Bytes that an unprivileged user can still write to the file system of `folder`; undefined where it does not say. */
export const diskFreeBytes = async (folder: string): Promise<number | undefined> => {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
};
