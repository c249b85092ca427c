import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment, nodeFlags } from '@branchline/edge-agent/runtime-flags.ts';

/** The agent's bundle starts itself with its flags, so that no installer has to repeat them. `NODE` names another Node. */
const text = `#!/bin/sh
${Object.entries(environment)
  .map(([name, value]) => `export ${name}=${value}`)
  .join('\n')}
exec "\${NODE:-node}" ${nodeFlags.join(' ')} "$(dirname "$(readlink -f "$0")")/main.mjs" "$@"
`;

export const writeStartScript = (folder: string): void => {
  const file = join(folder, 'edge-agent');
  writeFileSync(file, text);
  chmodSync(file, 0o755);
};
