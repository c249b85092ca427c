import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchLauncher } from '@branchline/local/launcher.ts';
import { hasMosquitto, installMosquitto } from '@branchline/local/mosquitto.ts';
import { zoneOfDay } from './clocks.ts';
import { runNode, staticChecks } from './static-checks.ts';
import { addReport, emptyTally, lastLine, type Tally } from './tally.ts';

/**
 * npm test [-- ARGUMENT…]: types, format, lint and every test project. Arguments go to vitest, and the static checks are then
 * left out: `npm test -- bridge`, `npm test -- --project unit`, `npm test -- -t E1`.
 */
const args = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'branchline-tests-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Tests must pass in every zone; `npm run test:clocks` tries more of them, and other times. */
const unitZone = process.env.TZ ?? zoneOfDay(Date.now());

const running = new Set<() => void>();
const interrupted = () => {
  for (const stop of running) stop();
  process.exitCode = 130;
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupted);
watchLauncher(interrupted);

const readReport = (file: string): Parameters<typeof addReport>[1] => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
};

/** `quiet` prints the output at the end, so that it does not mix with that of a run beside it. */
const runVitest = async (
  tally: Tally,
  name: string,
  selection: readonly string[],
  quiet = false,
): Promise<void> => {
  if (process.exitCode === 130) return;
  const file = join(folder, `${name}.json`);
  const output = quiet ? join(folder, `${name}.txt`) : undefined;
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  let stopThis = () => {};
  const endedWell = await runNode(
    'node_modules/vitest/vitest.mjs',
    ['run', '--passWithNoTests', ...reporters, ...selection],
    (stop) => {
      stopThis = stop;
      running.add(stop);
    },
    output,
    name === 'unit' ? { ...process.env, TZ: unitZone } : process.env,
  );
  running.delete(stopThis);
  if (output !== undefined) process.stdout.write(readFileSync(output));
  addReport(tally, readReport(file), endedWell);
};

const tally = emptyTally();
if (args.length === 0)
  for (const clean of Object.values(await staticChecks())) tally[clean ? 'passed' : 'failed'] += 1;

const runProject = (project: string, quiet = false) =>
  runVitest(tally, project, ['--project', project, ...args], quiet);

const chosen = args.find((arg) => arg.startsWith('--project'));
const onlyUnit = chosen !== undefined && [chosen, ...args].join(' ').includes('--project unit');
if (chosen === undefined || onlyUnit)
  process.stdout.write(
    `Unit tests in the time zone ${unitZone}; it changes daily, and TZ=ZONE chooses one.\n`,
  );
if (chosen !== undefined) await runVitest(tally, onlyUnit ? 'unit' : 'chosen', args);
else {
  // Tests with real processes mostly wait: two of them at a time keep two processors half busy. Browser tests also measure
  // time, so nothing runs beside them.
  process.stdout.write('Running the fault tests and, beside them, the others, whose results follow …\n');
  await Promise.all([runProject('faults'), runProject('unit', true).then(() => runProject('real', true))]);
  await runProject('browser');
}

// With a name pattern, vitest reports every other test as skipped.
if (args.some((arg) => arg === '-t' || arg.startsWith('--testNamePattern'))) tally.skipped = [];
if (tally.skipped.length > 0) {
  process.stdout.write(
    `\nSKIPPED, and therefore not tested:\n${tally.skipped.map((name) => `  ${name}\n`).join('')}`,
  );
  if (!(await hasMosquitto()))
    process.stdout.write(`Some need Mosquitto. To run them:\n  ${installMosquitto} && npm test\n`);
}
const nothingRan = tally.passed + tally.failed + tally.skipped.length === 0;
if (nothingRan) process.stdout.write(`No test matches ${args.join(' ')}.\n`);
if ((tally.failed > 0 || nothingRan) && process.exitCode !== 130) process.exitCode = 1;
process.stdout.write(`${lastLine(tally)}\n`);
process.exit();
