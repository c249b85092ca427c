import * as z from 'zod';
import { logLevels } from './log.ts';

/** Settings that several services have. Each service describes them itself. */

export const portNumber = z.int().min(1).max(65_535);
/** 0 takes a free port. */
export const listenPort = z.int().min(0).max(65_535);
export const logLevel = z.enum(logLevels).default('info');
/** How long a service may make no progress before it exits to be restarted. */
export const stuckMinutes = z.number().min(0.05).max(1_440).default(5);
