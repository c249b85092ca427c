import { pino } from 'pino';

/** One JSON object per line on stderr. Normal operation logs start and stop, and nothing per event. */
export type Log = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** Synchronous on purpose: the last line before a crash matters most. */
export const createLog = (service: string, level: (typeof logLevels)[number]): Log =>
  pino(
    { name: service, level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
