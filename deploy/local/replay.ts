import { checkSites, findRun, giveUp } from './current-run.ts';
import { followReplay, ReplayError } from './follow-replay.ts';
import { createProgressDisplay } from './progress-display.ts';
import { readReplay, replayHelp } from './replay-options.ts';
import { createScreen } from './screen.ts';

/** `npm run replay`: asks an agent of the running installation to send buffered events again. */

const args = process.argv.slice(2);
if (args.some((arg) => ['--help', '-h', 'help'].includes(arg))) {
  process.stdout.write(replayHelp);
  process.exit(0);
}
if (args.length === 0) giveUp(replayHelp, 2);

const run = await findRun();
const agentsOf = (site: string) => (run.agents ?? []).filter((agent) => agent.site === site);
const request = readReplay(args, (site) => agentsOf(site)[0]?.kind === 'warehouse', new Date());
if ('wrong' in request) giveUp(`${request.wrong}\nSee npm run replay -- --help`, 2);
else {
  const { site, agent } = request;
  checkSites(run, [site]);
  const names = agentsOf(site).map((one) => one.agent);
  if (!names.includes(agent)) giveUp(`${site} has no agent ${agent}. Its agents: ${names.join(', ')}`, 2);
  if (run.reports === undefined) giveUp('Replays need the reports service, which is not running.', 1);
  else {
    const screen = createScreen(process.stdout);
    await followReplay(run.reports, request, createProgressDisplay(screen)).then(
      (text) => screen.say(text),
      (error: Error) => {
        if (!(error instanceof ReplayError)) throw error;
        giveUp(error.message, 1);
      },
    );
  }
}
