import { join, resolve } from 'node:path';

export const checkout = resolve(import.meta.dirname, '../..');

/** What is fetched once and shared by everything that runs from this checkout. */
export const cache = join(checkout, '.branchline');

/**
 * Data, logs and addresses of what `npm start` runs. BRANCHLINE_HOME moves them, so that a second installation can run
 * beside the first; either folder may be deleted while nothing runs.
 */
export const home = resolve(process.env.BRANCHLINE_HOME ?? cache);
export const logsDir = join(home, 'logs');
export const runFile = join(home, 'run.json');
