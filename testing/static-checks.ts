import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const checkout = resolve(import.meta.dirname, '..');

/**
 * Runs a script in the checkout with this Node, on this terminal or with its output in a file. True when it exits with 0.
 */
export const runNode = async (
  script: string,
  args: readonly string[],
  onStart: (stop: () => void) => void = () => {},
  outputFile?: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<boolean> => {
  const output = outputFile === undefined ? undefined : openSync(outputFile, 'w');
  const child = spawn(process.execPath, [join(checkout, script), ...args], {
    cwd: checkout,
    env,
    stdio: output === undefined ? 'inherit' : ['ignore', output, output],
  });
  onStart(() => child.kill('SIGTERM'));
  const [code] = await once(child, 'close');
  if (output !== undefined) closeSync(output);
  return code === 0;
};

/** The checks that run none of our code. One entry per check, true when it found nothing. */
export const staticChecks = async (): Promise<Record<string, boolean>> => {
  process.stdout.write('Types (tsc) …\n');
  const types = await runNode('node_modules/typescript/bin/tsc', ['-p', '.']);
  process.stdout.write('Format and lint (biome) …\n');
  const lint = await runNode('node_modules/@biomejs/biome/bin/biome', [
    'check',
    '--log-level=warn',
    '--error-on-warnings',
    '.',
  ]);
  return { types, 'format and lint': lint };
};
