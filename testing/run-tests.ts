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

let stopCurrent = () => {};
const interrupted = () => {
  stopCurrent();
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

const runVitest = async (tally: Tally, name: string, selection: readonly string[]): Promise<void> => {
  if (process.exitCode === 130) return;
  const file = join(folder, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const endedWell = await runNode(
    'node_modules/vitest/vitest.mjs',
    ['run', '--passWithNoTests', ...reporters, ...selection],
    (stop) => {
      stopCurrent = stop;
    },
  );
  addReport(tally, readReport(file), endedWell);
};

const tally = emptyTally();
if (args.length === 0)
  for (const clean of Object.values(await staticChecks())) tally[clean ? 'passed' : 'failed'] += 1;

if (args.some((arg) => arg.startsWith('--project'))) await runVitest(tally, 'chosen', args);
else
  for (const project of ['unit', 'real', 'browser'])
    await runVitest(tally, project, ['--project', project, ...args]);

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
