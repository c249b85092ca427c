import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@branchline/local/postgres.ts';
import { createReports, type Reports } from '@branchline/local/reports.ts';
import type pg from 'pg';
import { createBooksDatabase } from '../world/books-database.ts';
import { fillBooks, type PageBooks } from './books-for-page.ts';

/** Reports on a real PostgreSQL with generated books and nothing else: the page without traffic. */
export type PageStand = { url: string; pool: pg.Pool; reports: Reports; stop(): Promise<void> };

/** A site is silent after three of these; the stand has no agents that report, so it must be long. */
const agentStatusSeconds = 3_600;

export const reportsOn = async (
  databaseUrl: string,
  folder: string,
  env: Record<string, string> = {},
): Promise<Reports> => {
  const reports = await createReports({
    postgres: databaseUrl,
    demoNetwork: undefined,
    env: {
      BRANCHLINE_AGENT_STATUS_SECONDS: String(agentStatusSeconds),
      BRANCHLINE_LOG_LEVEL: 'warn',
      ...env,
    },
    logDir: folder,
  });
  await reports.component.start();
  return reports;
};

export const startPageStand = async (
  books: PageBooks,
  env: Record<string, string> = {},
): Promise<PageStand> => {
  const folder = mkdtempSync(join(tmpdir(), 'branchline-page-'));
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), logDir: folder });
  const database = await createBooksDatabase(postgres.urlOf);
  await fillBooks(database.pool, books);
  const reports = await reportsOn(database.url, folder, env);
  return {
    url: reports.url,
    pool: database.pool,
    reports,
    stop: async () => {
      await reports.component.stop();
      await database.close();
      await postgres.component.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
