import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { migrate } from '@branchline/hub/io/migrate.ts';
import pg from 'pg';
import { createDatabase } from './books-database.ts';

const sqlFolder = new URL('../../hub/sql/', import.meta.url);

/** A separate database with the tables from before a migration, such as `013`: for tests of updates. */
export const createBooksBefore = async (migration: string): Promise<{ url: string; pool: pg.Pool }> => {
  const folder = mkdtempSync(join(tmpdir(), 'branchline-books-before-'));
  try {
    for (const file of readdirSync(sqlFolder))
      if (file < migration) cpSync(new URL(file, sqlFolder), join(folder, file));
    const url = await createDatabase();
    await migrate(url, pathToFileURL(`${folder}/`));
    return { url, pool: new pg.Pool({ connectionString: url }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
