import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { predecessorEnded, removePidFile, writePidFile } from './pid-file.ts';
import { eventually } from './probe.ts';

/**
 * A component of the one-machine stack: one process that can be watched, signalled, stopped and restarted on the same ports
 * and the same data. It runs under `keeper.sh`, so that it ends with its launcher, however the launcher ends.
 */
export type ComponentPlan = {
  name: string;
  command: readonly [program: string, ...args: string[]];
  /** The whole environment; defaults to the launcher's. */
  env?: NodeJS.ProcessEnv;
  logFile: string;
  /** The signal that asks this program for an orderly stop. */
  stopSignal?: 'SIGTERM' | 'SIGINT';
  /** SIGKILL follows when an orderly stop takes longer. */
  stopWithinMs?: number;
  /** Runs before each start. */
  beforeStart?(): Promise<void>;
  isReady(): boolean | Promise<boolean>;
  readyWithinMs: number;
};

/** What Kafka and PostgreSQL are started with. */
export type ServerOptions = { dataDir: string; logDir?: string; onProgress?: (line: string) => void };

export type Exit = { code: number | null; signal: NodeJS.Signals | null };

export type Component = {
  readonly name: string;
  readonly logFile: string;
  /** Of the program itself, not of a shell around it. Undefined while it is not running. */
  readonly pid: number | undefined;
  /** True from `stop()` until the next `start()`: an exit in between is intended. */
  readonly stopping: boolean;
  /** Settles when the current process ends. */
  readonly exited: Promise<Exit>;
  /** False when there is no process to signal. SIGSTOP and SIGCONT pause and resume. */
  kill(signal: NodeJS.Signals): boolean;
  /** Starts a new process and resolves when it is ready. */
  start(): Promise<void>;
  stop(): Promise<Exit>;
};

const keeper = join(import.meta.dirname, 'keeper.sh');

/** The last lines of a log, for an error message. */
export const lastLines = (file: string, count = 12): string => {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '(no log)';
  }
};

const describe = ({ code, signal }: Exit): string =>
  signal === null ? `with code ${code}` : `by signal ${signal}`;

const launch = (plan: ComponentPlan, stopWithinMs: number): ChildProcess => {
  mkdirSync(dirname(plan.logFile), { recursive: true });
  const log = openSync(plan.logFile, 'a', 0o600);
  try {
    const signal = (plan.stopSignal ?? 'SIGTERM').slice('SIG'.length);
    return spawn('sh', [keeper, signal, String(Math.ceil(stopWithinMs / 1_000)), ...plan.command], {
      stdio: ['ignore', log, log, 'pipe'],
      env: plan.env ?? process.env,
      // A session of its own, so that Ctrl-C reaches only the launcher, which stops the components in order.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
};

/** One process of a component, from launch to exit. */
type Run = { child: ChildProcess; exited: Promise<Exit>; exit: Exit | undefined };

const beginRun = (plan: ComponentPlan, stopWithinMs: number, pidFile: string): Run => {
  const child = launch(plan, stopWithinMs);
  if (child.pid !== undefined)
    writePidFile(pidFile, { pid: child.pid, argument: plan.command.at(-1) as string });
  const lifeline = child.stdio[3] as NodeJS.WritableStream;
  lifeline.on('error', () => {});
  const { promise: exited, resolve } = Promise.withResolvers<Exit>();
  const run: Run = { child, exited, exit: undefined };
  const ended = (exit: Exit) => {
    run.exit = exit;
    removePidFile(pidFile);
    lifeline.end('ended\n');
    resolve(exit);
  };
  child.once('error', () => ended({ code: 127, signal: null }));
  child.once('exit', (code, signal) => ended({ code, signal }));
  return run;
};

/** Starts nothing before `start()`. */
export const createComponent = (plan: ComponentPlan): Component => {
  const stopWithinMs = plan.stopWithinMs ?? 8_000;
  const pidFile = `${plan.logFile}.pid`;
  let run: Run | undefined;
  let stopping = false;
  const child = () => (run?.exit === undefined ? run?.child : undefined);
  const kill = (signal: NodeJS.Signals) => child()?.kill(signal) ?? false;
  const exited = () => run?.exited ?? Promise.resolve({ code: 0, signal: null });

  return {
    name: plan.name,
    logFile: plan.logFile,
    get pid() {
      return child()?.pid;
    },
    get stopping() {
      return stopping;
    },
    get exited() {
      return exited();
    },
    kill,
    start: async () => {
      if (child() !== undefined)
        throw new Error(`${plan.name} is already running, as process ${child()?.pid}`);
      stopping = false;
      await predecessorEnded(pidFile, plan.name);
      await plan.beforeStart?.();
      if (stopping) throw new Error(`${plan.name} was stopped before it started`);
      const mine = beginRun(plan, stopWithinMs, pidFile);
      run = mine;
      const settled = await eventually(async () => mine.exit !== undefined || (await plan.isReady()), {
        withinMs: plan.readyWithinMs,
      });
      if (settled && mine.exit === undefined) return;
      const what =
        mine.exit === undefined
          ? `is not ready after ${plan.readyWithinMs / 1_000} s`
          : `ended ${describe(mine.exit)} while starting`;
      kill('SIGKILL');
      await mine.exited;
      throw new Error(`${plan.name} ${what}. Last lines of ${plan.logFile}:\n${lastLines(plan.logFile)}`);
    },
    stop: async () => {
      stopping = true;
      const wasRunning = kill(plan.stopSignal ?? 'SIGTERM');
      // A paused process handles no signal but SIGKILL until it is resumed.
      if (wasRunning) kill('SIGCONT');
      const forced = setTimeout(() => kill('SIGKILL'), stopWithinMs);
      const exit = await exited();
      clearTimeout(forced);
      return exit;
    },
  };
};
