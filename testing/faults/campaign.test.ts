import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { checkout } from '@branchline/local/paths.ts';
import { expect, test } from 'vitest';

/** The campaign itself, in short: once with a fault that it must find, and once without. The long one is `npm run campaign`. */
const campaign = async (...args: string[]): Promise<{ code: number | null; output: string }> => {
  const main = join(checkout, 'testing/campaign/main.ts');
  const child = spawn(process.execPath, [main, '--minutes', '0.4', '--seed', '1', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // This process starts it, whoever started the tests.
    env: { ...process.env, BRANCHLINE_LAUNCHER_PID: String(process.pid) },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
};

test('I1 a short campaign of kills and doubled frames ends by itself, exact', async () => {
  const { code, output } = await campaign('--only', 'agent-killed,hub-killed,frames-doubled');
  expect(output).toContain('VERDICT: exact.');
  expect(code).toBe(0);
}, 240_000);

test('E1 control: with agents that answer before the event is on disk a campaign fails, and says how to repeat it', async () => {
  const { code, output } = await campaign('--only', 'agent-killed', '--without', 'sync', '--patience', '20');
  expect(output).toMatch(/\d+ accepted events are not in the books, such as store-000\d/);
  expect(output).toContain(
    'Repeat: npm run campaign -- --minutes 0.4 --seed 1 --only agent-killed --without sync --patience 20',
  );
  expect(code).toBe(1);
}, 240_000);
