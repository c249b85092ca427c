import type { Log } from './log.ts';

/**
 * Runs a service until SIGTERM or SIGINT, or, with `BRANCHLINE_STOP_WITH_PARENT=1`, until its standard input ends: on every
 * system, a pipe held by the parent closes even when the parent is killed with -9.
 *
 * `stop` gets `graceMs`; then the process exits with code 1, whatever still hangs.
 */
export const runUntilStopped = async (
  start: () => Promise<{ stop(reason: string): Promise<void> }>,
  { log, graceMs = 20_000, env = process.env }: { log: Log; graceMs?: number; env?: NodeJS.ProcessEnv },
): Promise<void> => {
  const asked = Promise.withResolvers<string>();
  process.on('SIGTERM', () => asked.resolve('SIGTERM'));
  process.on('SIGINT', () => asked.resolve('SIGINT'));
  if (env.BRANCHLINE_STOP_WITH_PARENT === '1') {
    process.stdin.on('end', () => asked.resolve('parent ended'));
    process.stdin.on('error', () => asked.resolve('parent ended'));
    process.stdin.resume();
  }
  const fatal = (error: unknown) => {
    // An unforeseen error is a bug or a failed disk; to continue could confirm what is not stored.
    log.error({ err: error }, 'fatal');
    process.exit(70);
  };
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);

  const running = await start().catch((error: unknown) => {
    log.error({ err: error }, 'could not start');
    process.exit(1);
  });
  const reason = await asked.promise;
  const forced = setTimeout(() => {
    log.error({ graceMs }, 'stop took too long');
    process.exit(1);
  }, graceMs);
  await running.stop(reason);
  clearTimeout(forced);
  process.exit(0);
};
