import { runFile } from './paths.ts';
import { createProgressDisplay } from './progress-display.ts';
import { resend } from './replay.ts';
import { readResend, resendUsage } from './replay-options.ts';
import { isRunning, type RunFile, readRunFile } from './run-file.ts';
import { createScreen } from './screen.ts';
import { setLink } from './wide-area.ts';

const usage = `The simulated sites, while "npm start" runs.

  npm run fleet -- status
  npm run fleet -- offline store-0007     the site loses its network; its tills sell on
  npm run fleet -- online store-0007      the network is back; what has waited drains
  npm run fleet -- delay store-0007 100   every message takes 100 ms longer, each way
  npm run fleet -- replay store-0007 --from 10:15 --to 10:30
                                         the agent sends again what it accepted then; replay --help tells more

More than one site can be named, except for a replay.`;

type AgentStatus = { linkUp: boolean; accepted: number; recorded: number; applied: number; pending: number };
type Link = { site: string; online: boolean; delayMs: number };

const giveUp = (message: string, code: number): never => {
  process.stderr.write(`${message}\n`);
  process.exit(code);
};

const getJson = async <T>(url: string): Promise<T | undefined> => {
  try {
    return (await (await fetch(url, { signal: AbortSignal.timeout(3_000) })).json()) as T;
  } catch {
    return undefined;
  }
};

const findRun = async (): Promise<RunFile> => {
  const run = readRunFile(runFile);
  if (run === undefined || !(await isRunning(run)))
    return giveUp('Nothing runs here. Start it with: npm start', 1);
  if (run.agents === undefined) return giveUp('Branchline is still starting; try again in a moment.', 1);
  return run;
};

const wanOf = (run: RunFile): string =>
  run.wan ?? giveUp('The broker is elsewhere and speaks TLS; there is no plug to pull here.', 1);

const printStatus = async (run: RunFile): Promise<void> => {
  process.stdout.write(`Dashboard: ${run.reports ?? 'none'}\n\n`);
  const links =
    run.wan === undefined ? [] : ((await getJson<{ links: Link[] }>(`${run.wan}/v1/links`))?.links ?? []);
  const agents = run.agents ?? [];
  const statuses = await Promise.all(agents.map(({ url }) => getJson<AgentStatus>(`${url}/v1/status`)));
  const columns = ['site', 'plug', 'link', 'accepted', 'recorded', 'applied', 'pending'];
  const rows = agents.map(({ site }, i) => {
    const link = links.find((one) => one.site === site);
    const status = statuses[i];
    const plug =
      link === undefined
        ? '–'
        : link.online
          ? link.delayMs > 0
            ? `in +${link.delayMs} ms`
            : 'in'
          : 'pulled';
    if (status === undefined) return [site, plug, 'no answer', '', '', '', ''];
    const counts = [status.accepted, status.recorded, status.applied, status.pending].map(String);
    return [site, plug, status.linkUp ? 'up' : 'down', ...counts];
  });
  const widths = columns.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] as string).length)),
  );
  for (const row of [columns, ...rows]) {
    const cells = row.map((cell, i) =>
      i < 3 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number),
    );
    process.stdout.write(`${cells.join('  ').trimEnd()}\n`);
  }
};

const checkSites = (run: RunFile, sites: string[]): void => {
  const known = (run.agents ?? []).map((agent) => agent.site);
  const unknown = sites.filter((site) => !known.includes(site));
  if (sites.length === 0) giveUp(`Name a site: ${known.join(', ')}`, 2);
  if (unknown.length > 0) giveUp(`There is no site ${unknown.join(', ')}. There are: ${known.join(', ')}`, 2);
};

const change = async (
  run: RunFile,
  sites: string[],
  wanted: { online?: boolean; delayMs?: number },
  what: string,
) => {
  checkSites(run, sites);
  const wan = wanOf(run);
  for (const site of sites) {
    await setLink(wan, site, wanted).catch((error: Error) =>
      giveUp(
        `The simulated network does not answer (${error.message}). It is restarted when it has died; try again.`,
        1,
      ),
    );
    process.stdout.write(`${site}: ${what}\n`);
  }
};

const replay = async (args: string[]): Promise<void> => {
  if (args.includes('--help') || args.length === 0) return void process.stdout.write(`${resendUsage}\n`);
  const run = await findRun();
  const kindOf = (site: string) => run.agents?.find((agent) => agent.site === site)?.kind;
  const ask = readResend(args, (site) => kindOf(site) === 'warehouse', new Date());
  if ('wrong' in ask) return giveUp(`${ask.wrong}\nSee npm run fleet -- replay --help`, 2);
  checkSites(run, [ask.site]);
  if (run.reports === undefined) return giveUp('No reports run here, and they are who to ask.', 1);
  const screen = createScreen(process.stdout);
  const complete = await resend(run.reports, ask, createProgressDisplay(screen), screen.say).catch(
    (error: Error) => giveUp(`The replay was not made: ${error.message}`, 1),
  );
  process.exitCode = complete ? 0 : 1;
};

const [command, ...rest] = process.argv.slice(2);
switch (command) {
  case undefined:
  case 'help':
  case '--help':
  case '-h':
    process.stdout.write(`${usage}\n`);
    break;
  case 'status':
    await printStatus(await findRun());
    break;
  case 'offline':
    await change(
      await findRun(),
      rest,
      { online: false },
      'the plug is pulled; its sales wait in its own database',
    );
    break;
  case 'online':
    await change(
      await findRun(),
      rest,
      { online: true },
      'plugged in again; it reconnects within seconds and catches up',
    );
    break;
  case 'delay': {
    const delayMs = Number(rest.at(-1));
    if (rest.length < 2 || !Number.isFinite(delayMs) || delayMs < 0 || delayMs > 60_000)
      giveUp(
        'A delay is milliseconds from 0 to 60000 after the sites: npm run fleet -- delay store-0007 100',
        2,
      );
    await change(
      await findRun(),
      rest.slice(0, -1),
      { delayMs },
      `every message takes ${delayMs} ms longer, each way`,
    );
    break;
  }
  case 'replay':
    await replay(rest);
    break;
  default:
    giveUp(`There is no command "${command}".\n\n${usage}`, 2);
}
