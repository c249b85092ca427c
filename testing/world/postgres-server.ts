import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '@branchline/hub/io/migrate.ts';
import { ensureDatabase, startPostgres } from '@branchline/local/postgres.ts';
import type { TestProject } from 'vitest/node';

/** One PostgreSQL for all test files, each with databases of its own; a test that stops its server starts another one. */
declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of the template database with empty books. */
    booksTemplateUrl: string;
  }
}

export default async (project: TestProject): Promise<() => Promise<void>> => {
  const folder = mkdtempSync(join(tmpdir(), 'branchline-postgres-'));
  const postgres = await startPostgres({ dataDir: join(folder, 'data'), logDir: folder });
  const template = postgres.urlOf('books_template');
  await ensureDatabase(postgres.urlOf('postgres'), 'books_template');
  await migrate(template);
  project.provide('booksTemplateUrl', template);
  return async () => {
    await postgres.component.stop();
    rmSync(folder, { recursive: true, force: true });
  };
};
