import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkout } from '@branchline/local/paths.ts';
import { buildAll, platformOf, thisPlatform } from './build-all.ts';
import { platforms } from './build-service.ts';

const help = `Makes the production bundles: one folder per service that needs Node 24 and nothing else.

Usage: npm run bundle -- [--out DIR] [--for PLATFORM]

  --out DIR        where to; dist by default
  --for PLATFORM   the machine that the agent's SQLite addon is for: ${platforms.join(', ')}.
                   This machine's by default; the bridge and the hub run everywhere

  dist/edge-agent/edge-agent   starts the agent with the flags that keep it small
  node dist/bridge/main.mjs    node dist/hub/setup.mjs    node dist/hub/main.mjs
  The dashboard lies in dist/hub/dashboard; the hub's role reports serves it`;

const { values } = parseArgs({
  options: { out: { type: 'string' }, for: { type: 'string' }, help: { type: 'boolean' } },
});
if (values.help === true) {
  console.log(help);
  process.exit(0);
}
const wanted = values.for ?? thisPlatform;
const platform = platformOf(wanted);
if (platform === undefined) {
  console.error(`There is no SQLite addon for ${wanted}.\n\n${help}`);
  process.exit(2);
}
for (const { folder, codeBytes } of await buildAll(resolve(values.out ?? join(checkout, 'dist')), platform))
  console.log(`${folder}: ${Math.round(codeBytes / 1_000)} kB of code`);
