import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Hexadecimal, so that it needs no quoting in files and URLs. */
export const newSecret = (): string => randomBytes(18).toString('hex');

/** Readable by the owner only, and replaced atomically: a reader sees the old text or the new one. */
export const writeSecretFile = (file: string, text: string): void => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const unfinished = `${file}.${process.pid}.tmp`;
  writeFileSync(unfinished, text, { mode: 0o600 });
  chmodSync(unfinished, 0o600);
  renameSync(unfinished, file);
};

/** The secret in the file; generated and stored on first use. */
export const secretFrom = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const secret = newSecret();
    writeSecretFile(file, `${secret}\n`);
    return secret;
  }
};
