import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { checkout } from '@branchline/local/paths.ts';
import { clocks } from './clocks.ts';

/**
 * npm run test:clocks: the unit tests in other time zones and at other times, and the page tests in a zone whose offset is not
 * a whole hour.
 */
const help = `Usage: npm run test:clocks -- [--case N] [--busy] [--pages]

Runs the unit tests once for each of these time zones and times. The clock starts a few seconds before the given time, so that it
passes while the tests run.

${clocks.map(({ zone, at, why }, i) => `  ${i + 1}  ${zone.padEnd(18)} ${at.padEnd(20)}  ${why}`).join('\n')}

  --case N   only this one
  --busy     with two busy loops, as on a busy machine
  --pages    also the page tests, in a zone whose offset is not a whole hour (needs Chromium)`;

const { values } = parseArgs({
  options: {
    case: { type: 'string' },
    busy: { type: 'boolean' },
    pages: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
const only = values.case === undefined ? undefined : Number(values.case);
if (values.help === true) {
  console.log(help);
  process.exit(0);
}
if (only !== undefined && clocks[only - 1] === undefined) {
  console.error(`There is no case ${values.case}.\n\n${help}`);
  process.exit(2);
}

const busyLoops: ChildProcess[] =
  values.busy === true ? [1, 2].map(() => spawn(process.execPath, ['-e', 'for (;;);'])) : [];
process.on('exit', () => {
  for (const loop of busyLoops) loop.kill('SIGKILL');
});

const runVitest = (project: string, selection: string[], env: NodeJS.ProcessEnv): Promise<boolean> =>
  new Promise((resolve) => {
    const vitest = join(checkout, 'node_modules/vitest/vitest.mjs');
    const child = spawn(process.execPath, [vitest, 'run', '--project', project, ...selection], {
      stdio: 'inherit',
      cwd: checkout,
      env: { ...process.env, ...env },
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal));
    child.once('exit', (code) => resolve(code === 0));
  });

/** Vitest takes this long until the first test runs. */
const leadMs = 6_000;
const preload = pathToFileURL(join(checkout, 'testing/world/stepped-clock.ts')).href;
const failed: string[] = [];
for (const [i, { zone, at, why }] of clocks.entries()) {
  if (only !== undefined && only !== i + 1) continue;
  console.log(`\n${zone}, ${at}: ${why}`);
  const step = at === 'now' ? 0 : Date.parse(at) - leadMs - Date.now();
  const passed = await runVitest('unit', [], {
    TZ: zone,
    CLOCK_STEP_MS: String(step),
    NODE_OPTIONS: `--import ${preload}`,
  });
  if (!passed)
    failed.push(
      `${zone} at ${at}: npm run test:clocks -- --case ${i + 1}${values.busy === true ? ' --busy' : ''}`,
    );
}
if (
  values.pages === true &&
  !(await runVitest('browser', ['testing/browser/page.test.ts'], { BRANCHLINE_ODD_ZONES: '1' }))
)
  failed.push(
    'the pages in a zone whose offset is not a whole hour: BRANCHLINE_ODD_ZONES=1 npm test -- testing/browser/page.test.ts',
  );
console.log(
  failed.length === 0
    ? '\nAll passed.'
    : `\nFAILED; repeat each by itself:\n${failed.map((line) => `  ${line}`).join('\n')}`,
);
process.exit(failed.length === 0 ? 0 : 1);
