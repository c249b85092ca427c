import type { Log } from './log.ts';

/**
 * Runs a service until SIGTERM or SIGINT, or, with `BRANCHLINE_STOP_WITH_PARENT=1`, until its standard input ends: on every
 * system, a pipe held by the parent closes even when the parent is killed with -9.
 *
 * Signals request a stop only once the service has started. Until then they end the process at once, which a start must survive
 * anyway, because a start that hangs could not answer. `stop` gets `graceMs`; then the process ends itself, whatever still
 * hangs.
 */
export const runUntilStopped = async (
  start: () => Promise<{ stop(reason: string): Promise<void> }>,
  { log, graceMs = 20_000, env = process.env }: { log: Log; graceMs?: number; env?: NodeJS.ProcessEnv },
): Promise<void> => {
  let ask = (_reason: string): void => void process.kill(process.pid, 'SIGTERM');
  if (env.BRANCHLINE_STOP_WITH_PARENT === '1') {
    process.stdin.on('end', () => ask('parent ended'));
    process.stdin.on('error', () => ask('parent ended'));
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
  const reason = await new Promise<string>((resolve) => {
    ask = resolve;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ask(signal));
  });
  const forced = setTimeout(() => {
    log.error({ graceMs }, 'stop took too long');
    // `process.exit` waits for worker threads, and one waiting for a dead disk never ends.
    process.kill(process.pid, 'SIGKILL');
  }, graceMs);
  await running.stop(reason);
  clearTimeout(forced);
  process.exit(0);
};
