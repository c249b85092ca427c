import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, it, test } from 'vitest';

/** Real processes, because the tests are about what signals do to them. */

const lifecycle = new URL('./lifecycle.ts', import.meta.url).href;
let child: ChildProcess | undefined;
afterEach(() => void child?.kill('SIGKILL'));

/** Starts a service with this code and waits for it to say `ready`. */
const service = async (start: string, options = '', env: NodeJS.ProcessEnv = {}) => {
  const script = `
    import { runUntilStopped } from ${JSON.stringify(lifecycle)};
    const say = (text) => process.stdout.write(text + '\\n');
    const log = { debug() {}, info() {}, warn() {}, error: (_, text) => say(text) };
    await runUntilStopped(${start}, { log, ${options} });`;
  const started = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  child = started;
  let said = '';
  started.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  while (!said.includes('ready')) await once(started.stdout, 'data');
  const ended = once(started, 'exit').then(([code, signal]) => code ?? signal);
  return { process: started, ended, said: () => said };
};

test.each(['SIGTERM', 'SIGINT'] as const)(
  'a start that hangs and burns a core ends at %s',
  async (signal) => {
    const { process: hanging, ended } = await service("async () => { say('ready'); for (;;); }");
    hanging.kill(signal);
    expect(await ended).toBe(signal);
  },
);

it('a start that waits for ever ends with its parent', async () => {
  const env = { BRANCHLINE_STOP_WITH_PARENT: '1' };
  const { process: hanging, ended } = await service(
    "async () => { say('ready'); setInterval(() => {}, 1_000); await new Promise(() => {}); }",
    '',
    env,
  );
  hanging.stdin?.end();
  expect(await ended).toBe('SIGTERM');
});

const started = (stop: string) =>
  `async () => { setTimeout(say, 0, 'ready'); const busy = setInterval(() => {}, 1_000); return { stop: ${stop} }; }`;

it('a service that has started is asked to stop, and says why', async () => {
  const {
    process: running,
    ended,
    said,
  } = await service(started("async (reason) => say('stop: ' + reason)"));
  running.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(said()).toContain('stop: SIGTERM');
});

it('a service that has started stops in order when its parent ends', async () => {
  const env = { BRANCHLINE_STOP_WITH_PARENT: '1' };
  const {
    process: running,
    ended,
    said,
  } = await service(started("async (reason) => say('stop: ' + reason)"), '', env);
  running.stdin?.end();
  expect(await ended).toBe(0);
  expect(said()).toContain('stop: parent ended');
});

it('a stop that hangs is ended after its grace', async () => {
  const {
    process: running,
    ended,
    said,
  } = await service(started('() => new Promise(() => {})'), 'graceMs: 100');
  running.kill('SIGTERM');
  expect(await ended).toBe('SIGKILL');
  expect(said()).toContain('stop took too long');
});
