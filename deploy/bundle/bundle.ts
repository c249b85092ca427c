import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkout } from '@branchline/local/paths.ts';
import { buildAll, platformOf, thisPlatform } from './build-all.ts';
import { platforms } from './build-service.ts';

const help = `Usage: npm run bundle -- [--out DIR] [--for PLATFORM]

Builds the production bundles: one folder per service, which needs only Node 24.

  --out DIR        output folder [dist]
  --for PLATFORM   platform of the agent's SQLite addon [this machine's]; bridge and hub run on every platform
                   ${platforms.join(', ')}
  --help           show this text

What it builds, and how to start it:

  dist/edge-agent/edge-agent   the agent, with the flags that keep it small
  dist/hub/hub                 the hub, with the flags that make it fast; with the dashboard, for its role reports
  node dist/hub/setup.mjs      the set-up of the hub's tables and topics
  node dist/bridge/main.mjs    the bridge`;

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
