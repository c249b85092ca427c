import { closestMatch } from 'leven';
import { runFile } from './paths.ts';
import { isRunning, type RunFile, readRunFile } from './run-file.ts';

/** What the commands beside `npm start` share: they find the installation that is running, or say what to do instead. */

export const giveUp = (message: string, code: 1 | 2): never => {
  process.stderr.write(`${message}\n`);
  process.exit(code);
};

export const findRun = async (): Promise<RunFile> => {
  const run = readRunFile(runFile);
  if (run === undefined || !(await isRunning(run)))
    return giveUp('Nothing is running here. Start it with: npm start', 1);
  if (run.agents === undefined) return giveUp('Branchline is still starting; try again in a moment.', 1);
  return run;
};

const listedMax = 12;

/** What is wrong with the names, or undefined. An unknown site is answered with the nearest one. */
export const wrongSites = (known: readonly string[], wanted: readonly string[]): string | undefined => {
  const all =
    known.slice(0, listedMax).join(', ') +
    (known.length > listedMax
      ? ` and ${known.length - listedMax} more; npm run fleet -- status lists them`
      : '');
  if (wanted.length === 0) return `Name a site: ${all}`;
  const unknown = wanted.filter((site) => !known.includes(site));
  if (unknown.length === 0) return undefined;
  return [
    ...unknown.map((site) => `There is no site ${site}. Did you mean ${closestMatch(site, known)}?`),
    `Sites: ${all}`,
  ].join('\n');
};

export const checkSites = (run: RunFile, wanted: readonly string[]): void => {
  const wrong = wrongSites([...new Set((run.agents ?? []).map(({ site }) => site))], wanted);
  if (wrong !== undefined) giveUp(wrong, 2);
};
