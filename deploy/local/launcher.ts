/**
 * Runs `onOrphaned` when the process that started this one is gone, even by kill -9. `bootstrap.mjs` names itself in the
 * environment; a script started without it has no launcher and keeps running.
 */
export const watchLauncher = (onOrphaned: () => void): void => {
  const launcher = Number(process.env.BRANCHLINE_LAUNCHER_PID ?? 0);
  if (launcher === 0) return;
  const timer = setInterval(() => {
    if (process.ppid === launcher) return;
    clearInterval(timer);
    onOrphaned();
  }, 500);
  timer.unref();
};

/** Calls `onStop` with the reason when a signal asks this process to stop, or when its launcher is gone. */
export const onStopRequest = (onStop: (reason: string) => void): void => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => onStop(signal));
  watchLauncher(() => onStop('the launcher ended'));
  // Once the terminal is closed every write fails; an orderly stop must not depend on being seen.
  process.stdout.on('error', () => {});
};
