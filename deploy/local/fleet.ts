import { checkSites, findRun, giveUp } from './current-run.ts';
import type { RunFile } from './run-file.ts';
import { setLink } from './wide-area.ts';

/** `npm run fleet`: the simulated sites and their network, while `npm start` runs. */

const usage = `Usage: npm run fleet -- COMMAND

Shows the simulated sites while npm start runs, and cuts or delays their network.

  npm run fleet -- status                 what each site has accepted and what is pending
  npm run fleet -- offline store-0007     disconnect the site; its tills go on selling
  npm run fleet -- online store-0007      reconnect the site; its backlog drains
  npm run fleet -- delay store-0007 100   delay every message by 100 ms each way; 0 ends it

offline, online and delay take several sites. To have a site send buffered events again: npm run replay -- --help

Exit codes: 0 done, 1 nothing is running or it does not answer, 2 the arguments are wrong`;

type AgentStatus = { linkUp: boolean; accepted: number; recorded: number; applied: number; pending: number };
type Link = { site: string; online: boolean; delayMs: number };

const getJson = async <T>(url: string): Promise<T | undefined> => {
  try {
    return (await (await fetch(url, { signal: AbortSignal.timeout(3_000) })).json()) as T;
  } catch {
    return undefined;
  }
};

const networkOf = (link: Link | undefined): string => {
  if (link === undefined) return '–';
  if (!link.online) return 'cut';
  return link.delayMs > 0 ? `up +${link.delayMs} ms` : 'up';
};

const columns = ['site', 'network', 'link', 'accepted', 'recorded', 'applied', 'pending'];

const tableOf = (rows: string[][]): string => {
  const widths = columns.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] as string).length)),
  );
  return [columns, ...rows]
    .map((row) =>
      row
        .map((cell, i) => (i < 3 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

const printStatus = async (run: RunFile): Promise<void> => {
  const agents = run.agents ?? [];
  const [links, ...statuses] = await Promise.all([
    run.wan === undefined ? undefined : getJson<{ links: Link[] }>(`${run.wan}/v1/links`),
    ...agents.map(({ url }) => getJson<AgentStatus>(`${url}/v1/status`)),
  ]);
  const rows = agents.map(({ site }, i) => {
    const network = networkOf(links?.links.find((one) => one.site === site));
    const status = statuses[i];
    if (status === undefined) return [site, network, 'no answer', '', '', '', ''];
    const counts = [status.accepted, status.recorded, status.applied, status.pending].map(String);
    return [site, network, status.linkUp ? 'up' : 'down', ...counts];
  });
  process.stdout.write(`Dashboard: ${run.reports ?? 'none'}\n\n${tableOf(rows)}\n`);
};

const setLinks = async (
  sites: string[],
  change: { online?: boolean; delayMs?: number },
  what: string,
): Promise<void> => {
  const run = await findRun();
  checkSites(run, sites);
  const wan =
    run.wan ?? giveUp('The broker is elsewhere and speaks TLS; sites cannot be disconnected here.', 1);
  for (const site of sites) {
    await setLink(wan, site, change).catch((error: Error) =>
      giveUp(
        `The simulated network does not answer (${error.message}). npm start restarts it within seconds; try again.`,
        1,
      ),
    );
    process.stdout.write(`${site}: ${what}\n`);
  }
};

const delay = async (args: string[]): Promise<void> => {
  const delayMs = Number(args.at(-1));
  if (args.length < 2 || !Number.isFinite(delayMs) || delayMs < 0 || delayMs > 60_000)
    giveUp('Give the sites, then milliseconds from 0 to 60000: npm run fleet -- delay store-0007 100', 2);
  await setLinks(args.slice(0, -1), { delayMs }, `every message is delayed by ${delayMs} ms each way`);
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
    await setLinks(rest, { online: false }, 'disconnected; its sales wait on its own disk');
    break;
  case 'online':
    await setLinks(rest, { online: true }, 'reconnected; its agent connects within seconds and catches up');
    break;
  case 'delay':
    await delay(rest);
    break;
  case 'replay':
    giveUp(
      `replay is a command of its own now:\n  npm run replay -- ${rest.length === 0 ? '--help' : rest.join(' ')}`,
      2,
    );
    break;
  default:
    giveUp(`There is no command "${command}".\n\n${usage}`, 2);
}
