import { join, resolve } from 'node:path';

export const checkout = resolve(import.meta.dirname, '../..');

/** Downloads that everything started from this checkout shares. */
export const cache = join(checkout, '.branchline');

/**
 * Data, logs and addresses of `npm start`. BRANCHLINE_HOME moves them, so that a second installation can run beside the
 * first; either folder may be deleted while nothing is running.
 */
export const home = resolve(process.env.BRANCHLINE_HOME ?? cache);
export const logsDir = join(home, 'logs');
export const runFile = join(home, 'run.json');
