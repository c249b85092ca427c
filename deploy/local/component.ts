import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { predecessorEnded, removePidFile, writePidFile } from './pid-file.ts';
import { eventually } from './probe.ts';

/**
 * A component of the one-machine stack: one process that can be watched, signalled, stopped and started again on the same
 * ports and the same data. It runs under `keeper.sh`, so that it ends with its launcher whatever ends the launcher.
 */
export type ComponentPlan = {
  name: string;
  command: readonly [program: string, ...args: string[]];
  /** The whole environment; that of the launcher when absent. */
  env?: NodeJS.ProcessEnv;
  logFile: string;
  /** What asks this program for an orderly end. */
  stopSignal?: 'SIGTERM' | 'SIGINT';
  /** An orderly end may take this long; then comes SIGKILL. */
  stopWithinMs?: number;
  /** What must be in order before each life. */
  beforeStart?(): Promise<void>;
  isReady(): boolean | Promise<boolean>;
  readyWithinMs: number;
};

export type Exit = { code: number | null; signal: NodeJS.Signals | null };

export type Component = {
  readonly name: string;
  readonly logFile: string;
  /** Of the program itself, not of a shell around it. Undefined while it does not run. */
  readonly pid: number | undefined;
  /** True from `stop()` until the next `start()`: an end in that time is no accident. */
  readonly stopping: boolean;
  /** Settles when the current life ends. */
  readonly exited: Promise<Exit>;
  /** False when there is no process to signal. SIGSTOP and SIGCONT pause and wake. */
  kill(signal: NodeJS.Signals): boolean;
  /** Starts a new life and returns when it answers. */
  start(): Promise<void>;
  stop(): Promise<Exit>;
};

const keeper = join(import.meta.dirname, 'keeper.sh');

/** The end of a log, for an error message. */
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
      // A session of its own: Ctrl-C reaches the launcher alone, which then stops the components in their order.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
};

/** Nothing runs before `start()`. */
export const createComponent = (plan: ComponentPlan): Component => {
  const stopWithinMs = plan.stopWithinMs ?? 8_000;
  let child: ChildProcess | undefined;
  let exited: Promise<Exit> = Promise.resolve({ code: 0, signal: null });
  let lastExit: Exit | undefined;
  let stopping = false;

  const pidFile = `${plan.logFile}.pid`;

  const begin = () => {
    const mine = launch(plan, stopWithinMs);
    if (mine.pid !== undefined) writePidFile(pidFile, { pid: mine.pid, mark: plan.command.at(-1) as string });
    const lifeline = mine.stdio[3] as NodeJS.WritableStream;
    lifeline.on('error', () => {});
    child = mine;
    lastExit = undefined;
    const { promise, resolve } = Promise.withResolvers<Exit>();
    exited = promise;
    const ended = (exit: Exit) => {
      if (child === mine) child = undefined;
      lastExit = exit;
      removePidFile(pidFile);
      lifeline.end('ended\n');
      resolve(exit);
    };
    mine.once('error', () => ended({ code: 127, signal: null }));
    mine.once('exit', (code, signal) => ended({ code, signal }));
  };

  const kill = (signal: NodeJS.Signals) => child?.kill(signal) ?? false;

  return {
    name: plan.name,
    logFile: plan.logFile,
    get pid() {
      return child?.pid;
    },
    get stopping() {
      return stopping;
    },
    get exited() {
      return exited;
    },
    kill,
    start: async () => {
      if (child !== undefined) throw new Error(`${plan.name} runs already, as process ${child.pid}`);
      stopping = false;
      await predecessorEnded(pidFile, plan.name);
      await plan.beforeStart?.();
      if (stopping) throw new Error(`${plan.name} was stopped before it started`);
      begin();
      const settled = await eventually(async () => lastExit !== undefined || (await plan.isReady()), {
        withinMs: plan.readyWithinMs,
      });
      if (settled && lastExit === undefined) return;
      const what =
        lastExit === undefined
          ? `does not answer after ${plan.readyWithinMs / 1_000} s`
          : `ended ${describe(lastExit)} while it started`;
      kill('SIGKILL');
      await exited;
      throw new Error(`${plan.name} ${what}. The end of ${plan.logFile}:\n${lastLines(plan.logFile)}`);
    },
    stop: async () => {
      stopping = true;
      const asked = kill(plan.stopSignal ?? 'SIGTERM');
      // A paused process acts on nothing but SIGKILL until it is woken.
      if (asked) kill('SIGCONT');
      const forced = setTimeout(() => kill('SIGKILL'), stopWithinMs);
      const exit = await exited;
      clearTimeout(forced);
      return exit;
    },
  };
};
