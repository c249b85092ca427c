import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '@branchline/contracts/limits.ts';
import { dataFiles, readDays } from '@branchline/simulators/online-retail/files.ts';
import { progressLine } from '@branchline/simulators/online-retail/progress.ts';
import { reconciliationTable } from '@branchline/simulators/online-retail/reconciliation.ts';
import { surveyDays } from '@branchline/simulators/online-retail/survey.ts';
import { type VerifyResult, verifyDataSet } from '@branchline/simulators/online-retail/verify.ts';
import { siteNames } from './branches.ts';
import { onStopRequest } from './launcher.ts';
import { home } from './paths.ts';
import { predecessorEnded } from './pid-file.ts';
import { commandOf, isAlive } from './process-table.ts';
import { createProgressDisplay } from './progress-display.ts';
import { type RunFile, readRunFile, removeRunFile, runFileOf, writeRunFile } from './run-file.ts';
import { createScreen } from './screen.ts';
import { type Stack, startStack } from './stack.ts';
import { superviseAll } from './supervise.ts';
import { readArguments, type VerifyArguments, verifyHelp } from './verify-options.ts';
import { describe, jsonText, verdict, whereToLook } from './verify-report.ts';

/** `npm run verify`: a stack of its own, the data set through it, and the comparison for people and machines. */

const folder = join(home, 'verify');
const runFile = join(folder, 'run.json');
const logDir = join(folder, 'logs');
const screen = createScreen(process.stdout);

/** The largest invoice exceeds the default limit; statuses every half second instead of every ten shorten the end of a run. */
const agentEnv = {
  BRANCHLINE_EVENT_BYTES_MAX: String(limits.eventBytesCeiling),
  BRANCHLINE_STATUS_INTERVAL_MS: '500',
};

const refuseSecondRun = async (): Promise<void> => {
  const pid = readRunFile(runFile)?.pid;
  if (pid !== undefined && isAlive(pid) && (await commandOf(pid)).includes('deploy/local/verify.ts'))
    throw new Error(`another check is running, as process ${pid}. Stop it with: kill ${pid}`);
};

/** Components of a killed run take some seconds to end and write into the folder until then. */
const emptyFolder = async (): Promise<void> => {
  const logs = existsSync(logDir) ? readdirSync(logDir) : [];
  for (const name of logs.filter((file) => file.endsWith('.pid')))
    await predecessorEnded(join(logDir, name), name.replace(/\.log\.pid$/, ''));
  rmSync(folder, { recursive: true, force: true });
};

const begun: RunFile = { pid: process.pid, startedAt: new Date().toISOString(), state: 'starting' };

const verifyOn = async (stack: Stack, args: VerifyArguments, signal: AbortSignal): Promise<VerifyResult> => {
  const display = createProgressDisplay(screen);
  const recordRun = () => writeRunFile(runFile, runFileOf(begun, stack));
  recordRun();
  const endSupervision = superviseAll(stack.components(), (line) => {
    screen.say(line);
    recordRun();
  });
  try {
    return await verifyDataSet({
      data: args.data,
      agents: stack.branches,
      postgresUrl: stack.postgres.ownerUrl,
      speed: args.speed,
      signal,
      onProgress: (progress) => display.show(progressLine(progress)),
    });
  } finally {
    display.end();
    endSupervision();
  }
};

/** Components end with their launcher, so a stop request during the start needs nothing but an exit. */
const endWhileStarting = () => {
  removeRunFile(runFile);
  process.exit(130);
};

const start = async ({ sites, broker, keep }: VerifyArguments, stopRequest: AbortSignal): Promise<Stack> => {
  stopRequest.addEventListener('abort', endWhileStarting);
  const stack = await startStack({
    dataDir: join(folder, 'data'),
    logDir,
    sites: siteNames(sites, 0),
    broker,
    agentEnv,
    // The shops of the data set are in Britain. Without --keep nobody would see the dashboard.
    ...(keep ? { reports: { timeZone: 'Europe/London' } } : {}),
    onProgress: (line) => screen.say(`  ${line}`),
  });
  stopRequest.removeEventListener('abort', endWhileStarting);
  return stack;
};

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });

const run = async (args: VerifyArguments, stopRequest: AbortSignal): Promise<number> => {
  const survey = await surveyDays(readDays(await dataFiles(args.data)), args.sites);
  screen.say(describe(survey, args));
  await refuseSecondRun();
  await emptyFolder();
  writeRunFile(runFile, begun);

  let stack: Stack | undefined;
  try {
    stack = await start(args, stopRequest);
    const result = await verifyOn(stack, args, stopRequest);
    screen.say(`\n${reconciliationTable(result.reconciliation)}\n\n${verdict(result, survey, logDir)}`);
    if (args.json !== undefined) writeFileSync(args.json, jsonText(result, survey, args));
    if (args.keep) {
      screen.say(whereToLook(stack, runFile));
      await untilAborted(stopRequest);
    }
    return result.equal ? 0 : 1;
  } finally {
    await stack?.stop();
    removeRunFile(runFile);
  }
};

const args = readArguments(process.argv.slice(2));
if (args === 'help') {
  screen.say(verifyHelp);
} else if ('wrong' in args) {
  console.error(`${args.wrong}\nSee npm run verify -- --help`);
  process.exitCode = 2;
} else {
  const stopRequest = new AbortController();
  onStopRequest(() => stopRequest.abort());
  process.exitCode = await run(args, stopRequest.signal).catch((error: Error) => {
    console.error(stopRequest.signal.aborted ? 'Stopped.' : `The check could not be made: ${error.message}`);
    return stopRequest.signal.aborted ? 130 : 2;
  });
}
