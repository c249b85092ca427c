import { pino } from 'pino';

/** One JSON object per line on stderr. Normal operation logs a start and a stop and nothing per event. */
export type Log = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** Synchronous on purpose: the last line before a crash is the one that is needed. */
export const createLog = (service: string, level: (typeof logLevels)[number]): Log =>
  pino(
    { name: service, level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
