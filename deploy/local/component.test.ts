import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Component, type ComponentPlan, createComponent } from './component.ts';
import { answers, eventually, freePort } from './probe.ts';
import { isAlive } from './process-table.ts';
import { supervise } from './supervise.ts';

let folder: string;
const components: Component[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'branchline-component-'));
});
afterEach(async () => {
  for (const component of components.splice(0)) await component.stop();
  rmSync(folder, { recursive: true });
});

/** A program that listens on a port and ends on SIGTERM, or ignores it. */
const program = (port: number, stubborn = false) =>
  `require('net').createServer().listen(${port}, '127.0.0.1'); process.on('SIGTERM', () => ${stubborn ? '{}' : 'process.exit(3)'});`;

const listener = async (
  changes: Partial<ComponentPlan> = {},
  stubborn = false,
): Promise<Component & { port: number }> => {
  const port = await freePort();
  const component = createComponent({
    name: 'listener',
    command: [process.execPath, '-e', program(port, stubborn)],
    logFile: join(folder, 'listener.log'),
    isReady: () => answers(port),
    readyWithinMs: 10_000,
    ...changes,
  });
  components.push(component);
  return Object.assign(component, { port });
};

test('a component is ready when it answers, and its process id is that of the program', async () => {
  const component = await listener();
  await component.start();
  expect(isAlive(component.pid as number)).toBe(true);
  component.kill('SIGKILL');
  expect(await component.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(await answers(component.port)).toBe(false);
  await component.start();
  expect(await answers(component.port)).toBe(true);
  expect(await component.stop()).toEqual({ code: 3, signal: null });
});

test('a component that ends while it starts is an error with the end of its log', async () => {
  const component = await listener({ command: ['sh', '-c', 'echo the disk is on fire; exit 4'] });
  await expect(component.start()).rejects.toThrow(
    /ended with code 4 while starting[\s\S]*the disk is on fire/,
  );
});

test('a component that ignores the request to stop is killed, and a paused one is resumed first', async () => {
  const stubborn = await listener({ stopWithinMs: 300 }, true);
  await stubborn.start();
  expect(await stubborn.stop()).toEqual({ code: null, signal: 'SIGKILL' });
  const paused = await listener({ logFile: join(folder, 'paused.log') });
  await paused.start();
  paused.kill('SIGSTOP');
  expect(await paused.stop()).toEqual({ code: 3, signal: null });
});

test('a supervised component that dies is restarted on its port, and one that was told to stop stays stopped', async () => {
  const component = await listener();
  await component.start();
  const before = component.pid;
  const events: string[] = [];
  const unwatch = supervise(component, (line) => events.push(line));
  component.kill('SIGKILL');
  const isBack = async () =>
    component.pid !== undefined && component.pid !== before && (await answers(component.port));
  expect(await eventually(isBack, { withinMs: 10_000 })).toBe(true);
  expect(events[0]).toContain('listener ended (SIGKILL)');
  expect(await eventually(() => events.some((line) => line.includes('is back')), { withinMs: 5_000 })).toBe(
    true,
  );
  await component.stop();
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(component.pid).toBeUndefined();
  unwatch();
});

test.each([false, true])(
  'nothing is left when the launcher is killed with -9 (stubborn component: %s)',
  async (stubborn) => {
    const port = await freePort();
    const launcher = join(folder, 'launcher.ts');
    writeFileSync(
      launcher,
      `import { createComponent } from ${JSON.stringify(join(import.meta.dirname, 'component.ts'))};
     import { answers } from ${JSON.stringify(join(import.meta.dirname, 'probe.ts'))};
     const component = createComponent({
       name: 'child', command: [process.execPath, '-e', ${JSON.stringify(program(port, stubborn))}],
       logFile: ${JSON.stringify(join(folder, 'child.log'))}, stopWithinMs: 1_000,
       isReady: () => answers(${port}), readyWithinMs: 10_000,
     });
     await component.start();
     console.log(component.pid);
     setInterval(() => {}, 1_000);`,
    );
    const child = spawn(process.execPath, [launcher], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    expect(await eventually(() => !isAlive(pid), { withinMs: 8_000 })).toBe(true);
  },
);

test('a new launcher waits for the process that an earlier one left on the same data', async () => {
  const component = await listener();
  const old = spawn(process.execPath, [
    '-e',
    `${program(await freePort())} setTimeout(() => process.exit(), 1_200)`,
  ]);
  const file = `${component.logFile}.pid`;
  writeFileSync(file, JSON.stringify({ pid: old.pid, argument: 'setTimeout(() => process.exit(), 1_200)' }));
  await component.start();
  expect(isAlive(old.pid as number)).toBe(false);
  expect(JSON.parse(readFileSync(file, 'utf8')).pid).toBe(component.pid);
});
