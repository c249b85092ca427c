/**
 * Runs `onOrphaned` when the process that started this one is gone, even by kill -9. `bootstrap.mjs` names itself in the
 * environment; a script that was started without it belongs to nobody and runs on.
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
