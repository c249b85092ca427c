import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchLauncher } from '@branchline/local/launcher.ts';
import { hasMosquitto, installMosquitto } from '@branchline/local/mosquitto.ts';
import { runNode, staticChecks } from './static-checks.ts';
import { addReport, emptyTally, lastLine, type Tally } from './tally.ts';

/**
 * npm test [-- ARGUMENT…]: types, lint, the tests beside the code, then those with real processes. Arguments go to vitest,
 * and with any the types and lint are left out: `npm test -- bridge`, `npm test -- --project unit`, `npm test -- -t E1`.
 */
const args = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'branchline-tests-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

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

/** `quiet` keeps the output until the end, so that it does not mix with that of what runs beside it. */
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

if (args.some((arg) => arg.startsWith('--project'))) await runVitest(tally, 'chosen', args);
else {
  // Tests with real processes wait more than they work: two rows of them side by side keep two processors half busy. What
  // a browser shows is also a matter of time, and has the machine for itself.
  process.stdout.write('Tests with faults, and beside them all others, whose results follow …\n');
  await Promise.all([runProject('faults'), runProject('unit', true).then(() => runProject('real', true))]);
  await runProject('browser');
}

// A name pattern makes vitest call everything else skipped, which is not what anyone wants to hear of.
if (args.some((arg) => arg === '-t' || arg.startsWith('--testNamePattern'))) tally.skipped = [];
if (tally.skipped.length > 0) {
  process.stdout.write(
    `\nSKIPPED, and therefore not tested:\n${tally.skipped.map((name) => `  ${name}\n`).join('')}`,
  );
  if (!(await hasMosquitto()))
    process.stdout.write(`Some need Mosquitto. Make them run with:\n  ${installMosquitto} && npm test\n`);
}
const nothingRan = tally.passed + tally.failed + tally.skipped.length === 0;
if (nothingRan) process.stdout.write(`No test matches ${args.join(' ')}.\n`);
if ((tally.failed > 0 || nothingRan) && process.exitCode !== 130) process.exitCode = 1;
process.stdout.write(`${lastLine(tally)}\n`);
process.exit();
