import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { IntakeAnswer, IntakeFailure, IntakeResult } from '@branchline/contracts/intake.ts';
import type { statusPage } from '@branchline/edge-agent/core/status.ts';
import { environment, nodeFlags } from '@branchline/edge-agent/runtime-flags.ts';
import { testSite } from './agent-events.ts';

/** For tests: a real agent process and an HTTP client for it. */

export type AgentStatus = ReturnType<typeof statusPage>;
export type TestAgent = {
  url: string;
  process: ChildProcess;
  /** Its log so far. */
  log(): string;
  /** Any JSON value, or text that is sent as it is. */
  post(
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; json: IntakeResult & IntakeAnswer & IntakeFailure; headers: Headers }>;
  status(): Promise<AgentStatus>;
  /** Resolves with the exit code or the name of the signal. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
};

const main = fileURLToPath(new URL('../../edge-agent/main.ts', import.meta.url));

/** With the flags that it ships with: its heap is small. */
export const spawnAgent = (
  flags: string[],
  env: NodeJS.ProcessEnv = {},
): { process: ChildProcess; log(): string } => {
  const child = spawn(process.execPath, [...nodeFlags, main, ...flags], {
    stdio: ['ignore', 'inherit', 'pipe'],
    env: { ...process.env, ...environment, ...env },
  });
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { process: child, log: () => text };
};

export const eventually = async <T>(
  find: () => T | undefined | Promise<T | undefined>,
  what: string,
  withinMs = 15_000,
): Promise<T> => {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    const found = await find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`timed out: ${what}`);
};

export const startTestAgent = async (
  dataDir: string,
  mqtt: string,
  flags: string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<TestAgent> => {
  const { process: child, log } = spawnAgent(
    [
      '--site',
      testSite,
      '--data-dir',
      dataDir,
      '--mqtt',
      mqtt,
      '--intake-port',
      '0',
      '--receipt-timeout-ms',
      '500',
      '--backoff-cap-ms',
      '500',
      ...flags,
    ],
    env,
  );
  const exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  const url = await eventually(() => {
    if (child.exitCode !== null) throw new Error(`the agent exited: ${log()}`);
    return /"intake":"([^"]+)"/.exec(log())?.[1];
  }, 'the agent starts');
  return {
    url,
    process: child,
    log,
    post: async (body, headers = {}) => {
      const response = await fetch(`${url}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body:
          typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
      });
      return { status: response.status, json: (await response.json()) as never, headers: response.headers };
    },
    status: async () => (await (await fetch(`${url}/v1/status`)).json()) as AgentStatus,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return exited;
    },
  };
};
