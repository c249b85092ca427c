import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchLauncher } from '@branchline/local/launcher.ts';
import { describeMachine } from '../bench/machine.ts';
import { type CampaignOptions, parseOptions, repeatCommand, UsageError, usage } from './options.ts';
import { reportText } from './report.ts';
import { runCampaign } from './run.ts';
import { startWorld, type World } from './world.ts';

const readOptions = (): CampaignOptions => {
  try {
    const options = parseOptions(process.argv.slice(2), Math.floor(Math.random() * 0x1_0000_0000));
    if (options !== undefined) return options;
    console.log(usage());
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\nSee npm run campaign -- --help`);
    process.exit(2);
  }
};

const options = readOptions();
const startedAt = performance.now();
const elapsed = () => {
  const seconds = Math.floor((performance.now() - startedAt) / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}`;
};
const say = (line: string) => console.log(`${elapsed()}  ${line}`);

const folder = mkdtempSync(join(tmpdir(), 'branchline-campaign-'));
const aborted = new AbortController();
const interrupt = () => aborted.abort(new Error('interrupted'));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
watchLauncher(interrupt);

say(`${options.minutes} minutes, seed ${options.seed}; logs and databases in ${folder}`);
let world: World | undefined;
let restarts = 0;
let code = 1;
try {
  world = await startWorld({
    folder,
    without: options.without,
    onProgress: say,
    onEvent: (line) => {
      if (line.includes('restarting it')) restarts += 1;
      else if (!line.includes('is back as process')) say(line);
    },
  });
  const repeat = repeatCommand(options);
  const machine = await describeMachine(world.postgres.ownerUrl);
  say('everything is up; the faults begin');
  const run = await runCampaign(world, options, say, aborted.signal);
  const report = reportText({
    ...run,
    machine,
    restarts,
    seed: options.seed,
    minutes: options.minutes,
    repeat,
  });
  console.log(`\n${report}`);
  if (options.report !== undefined) writeFileSync(options.report, report);
  code = run.findings.length === 0 ? 0 : 1;
} catch (error) {
  code = aborted.signal.aborted ? 130 : 1;
  if (code === 1) console.error(error, `\nRepeat: ${repeatCommand(options)}`);
} finally {
  await world?.stop();
}
if (code === 1 || options.keepLogs) console.log(`The logs and databases are in ${folder}`);
else rmSync(folder, { recursive: true, force: true });
process.exit(code);
