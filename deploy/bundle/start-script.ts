import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Node flags and environment of a program; benchmarks run with the same ones. */
export type Runtime = { nodeFlags: readonly string[]; environment?: Readonly<Record<string, string>> };

/** Writes a start script with the flags, so that no installer has to repeat them. `NODE` names another Node binary. */
export const writeStartScript = (
  folder: string,
  name: string,
  { nodeFlags, environment = {} }: Runtime,
): void => {
  const lines = [
    '#!/bin/sh',
    ...Object.entries(environment).map(([key, value]) => `export ${key}=${value}`),
    `exec "\${NODE:-node}" ${nodeFlags.join(' ')} "$(dirname "$(readlink -f "$0")")/main.mjs" "$@"`,
  ];
  const file = join(folder, name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  chmodSync(file, 0o755);
};
