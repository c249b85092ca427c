import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '@branchline/contracts/limits.ts';
import { dataFiles, readDays } from '@branchline/simulators/online-retail/files.ts';
import { progressLine } from '@branchline/simulators/online-retail/progress.ts';
import { reconciliationTable } from '@branchline/simulators/online-retail/reconciliation.ts';
import { surveyDays } from '@branchline/simulators/online-retail/survey.ts';
import { type ReplayResult, runReplay } from '@branchline/simulators/online-retail/verify.ts';
import { siteNames } from './branches.ts';
import { watchLauncher } from './launcher.ts';
import { home } from './paths.ts';
import { predecessorEnded } from './pid-file.ts';
import { commandOf, isAlive } from './process-table.ts';
import { createProgressDisplay } from './progress-display.ts';
import { type RunFile, readRunFile, removeRunFile, writeRunFile } from './run-file.ts';
import { createScreen } from './screen.ts';
import { type Stack, startStack } from './stack.ts';
import { supervise } from './supervise.ts';
import { type ReplayArguments, readArguments, replayHelp } from './verify-options.ts';
import { describe, howToLook, jsonText, verdict } from './verify-report.ts';

/** `npm run replay`: a stack of its own, the replay on it, and the comparison for people and machines. */

const folder = join(home, 'replay');
const runFile = join(folder, 'run.json');
const logDir = join(folder, 'logs');
const screen = createScreen(process.stdout);

/** The largest invoice is above the default limit; half a second instead of ten makes the end of a run quick. */
const agentEnv = {
  BRANCHLINE_EVENT_BYTES_MAX: String(limits.eventBytesCeiling),
  BRANCHLINE_STATUS_INTERVAL_MS: '500',
};

const refuseSecondRun = async (): Promise<void> => {
  const pid = readRunFile(runFile)?.pid;
  if (pid !== undefined && isAlive(pid) && (await commandOf(pid)).includes('deploy/local/verify.ts'))
    throw new Error(`a replay runs already, as process ${pid}; stop it first`);
};

/** Parts of a replay that was killed take some seconds to end, and still write into the folder meanwhile. */
const emptyFolder = async (): Promise<void> => {
  const logs = existsSync(logDir) ? readdirSync(logDir) : [];
  for (const name of logs.filter((file) => file.endsWith('.pid')))
    await predecessorEnded(join(logDir, name), name.replace(/\.log\.pid$/, ''));
  rmSync(folder, { recursive: true, force: true });
};

const begun: RunFile = { pid: process.pid, startedAt: new Date().toISOString(), state: 'starting' };

const describeRun = (stack: Stack): RunFile => ({
  ...begun,
  state: 'running',
  kafka: stack.kafka.address,
  topicPrefix: stack.topicPrefix,
  postgres: stack.postgres.ownerUrl,
  postgresHub: stack.postgres.hubUrl,
  mqtt: stack.mqtt.url,
  hub: stack.hub.url,
  bridge: stack.bridge.url,
  reports: stack.reports?.url,
  reportsStatus: stack.reports?.statusUrl,
  wan: stack.wan?.url,
  agents: stack.branches.map(({ site, kind, agent, url, token }) => ({ site, kind, agent, url, token })),
  components: Object.fromEntries(stack.components().map(({ name, pid }) => [name, pid ?? 0])),
});

const replayOn = async (stack: Stack, args: ReplayArguments, signal: AbortSignal): Promise<ReplayResult> => {
  const display = createProgressDisplay(screen);
  const recordRun = () => writeRunFile(runFile, describeRun(stack));
  recordRun();
  const unwatch = stack.components().map((component) =>
    supervise(component, (line) => {
      screen.say(line);
      recordRun();
    }),
  );
  try {
    return await runReplay({
      data: args.data,
      agents: stack.branches,
      postgresUrl: stack.postgres.ownerUrl,
      speed: args.speed,
      signal,
      onProgress: (progress) => display.show(progressLine(progress)),
    });
  } finally {
    display.end();
    for (const end of unwatch) end();
  }
};

/** Parts end with their launcher, so that a stop in the middle of starting needs no more than to end. */
const endWhileStarting = () => {
  removeRunFile(runFile);
  process.exit(130);
};

const start = async ({ sites, broker, keep }: ReplayArguments, asked: AbortSignal): Promise<Stack> => {
  asked.addEventListener('abort', endWhileStarting);
  const stack = await startStack({
    dataDir: join(folder, 'data'),
    logDir,
    sites: siteNames(sites, 0),
    broker,
    agentEnv,
    // The data is of shops in Britain. Without --keep nobody is there to look.
    ...(keep ? { reports: { timeZone: 'Europe/London' } } : {}),
    onProgress: (line) => screen.say(`  ${line}`),
  });
  asked.removeEventListener('abort', endWhileStarting);
  return stack;
};

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });

const run = async (args: ReplayArguments, asked: AbortSignal): Promise<number> => {
  const survey = await surveyDays(readDays(await dataFiles(args.data)), args.sites);
  screen.say(describe(survey, args));
  await refuseSecondRun();
  await emptyFolder();
  writeRunFile(runFile, begun);

  let stack: Stack | undefined;
  try {
    stack = await start(args, asked);
    const result = await replayOn(stack, args, asked);
    screen.say(`\n${reconciliationTable(result.reconciliation)}\n\n${verdict(result)}`);
    if (args.json !== undefined) writeFileSync(args.json, jsonText(result, args));
    if (args.keep) {
      screen.say(howToLook(stack, runFile));
      await untilAborted(asked);
    }
    return result.equal ? 0 : 1;
  } finally {
    await stack?.stop();
    removeRunFile(runFile);
  }
};

const args = readArguments(process.argv.slice(2));
if (args === 'help') {
  screen.say(replayHelp);
} else if ('wrong' in args) {
  console.error(`${args.wrong}\nSee npm run replay -- --help`);
  process.exitCode = 2;
} else {
  const asked = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => asked.abort());
  watchLauncher(() => asked.abort());
  // A closed terminal makes every write fail; stopping in order does not depend on being seen.
  process.stdout.on('error', () => {});
  process.exitCode = await run(args, asked.signal).catch((error: Error) => {
    console.error(asked.signal.aborted ? 'Stopped.' : `The replay failed: ${error.message}`);
    return asked.signal.aborted ? 130 : 2;
  });
}
