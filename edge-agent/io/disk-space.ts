import { statfs } from 'node:fs/promises';

/** Bytes that an ordinary user may still write to the file system of `folder`; undefined where that is not to be known. */
export const diskFreeBytes = async (folder: string): Promise<number | undefined> => {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
};
