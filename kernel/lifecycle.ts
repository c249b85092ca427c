import type { Log } from './log.ts';

/**
 * Runs a service until it is told to stop. A service is told by SIGTERM or SIGINT, or, when its parent asked for it with
 * `BRANCHLINE_STOP_WITH_PARENT=1`, by the end of its standard input: a pipe whose other end the parent holds closes
 * even when the parent is killed with -9, on every system.
 *
 * `stop` has `graceMs`; then the process ends with code 1, whatever still hangs.
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
    // An error nobody expected is a bug or a failed disk; going on could confirm what is not stored.
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
