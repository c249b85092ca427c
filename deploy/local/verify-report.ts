import { reconciliationJson } from '@branchline/simulators/online-retail/reconciliation.ts';
import type { Survey } from '@branchline/simulators/online-retail/survey.ts';
import type { ReplayResult } from '@branchline/simulators/online-retail/verify.ts';
import type { Stack } from './stack.ts';
import type { ReplayArguments } from './verify-options.ts';

/** What `npm run replay` says, apart from its progress and its table. */

export const describe = (survey: Survey, { sites, data }: ReplayArguments): string =>
  `${data}: ${survey.expected.size} days, ${(survey.transactions + survey.movements).toLocaleString('en-GB')} invoices ` +
  `(${survey.transactions} transactions, ${survey.movements} stock movements) and ${survey.dayReports} day-end reports, the largest ${Math.ceil(survey.largestEventBytes / 1024)} KiB.\n` +
  `The data has no stores: they are invented (${sites} of them), and a hash of the invoice number chooses one.`;

export const jsonText = (result: ReplayResult, { sites, speed, broker }: ReplayArguments): string => {
  const { total, fed, accepted, recorded, applied, elapsedMs } = result.progress;
  return `${JSON.stringify(
    {
      ...reconciliationJson(result.reconciliation),
      equal: result.equal,
      disagreements: result.disagreements,
      stalled: result.stalled,
      sites,
      speed,
      broker,
      events: { total, fed, accepted, recorded, applied },
      requestsRepeated: result.repeated,
      seconds: Math.round(elapsedMs) / 1_000,
    },
    null,
    2,
  )}\n`;
};

export const verdict = ({ equal, stalled, disagreements, progress }: ReplayResult): string =>
  [
    ...(stalled
      ? ['Nothing moved any more before everything was applied; the logs are in .branchline/replay/logs.']
      : []),
    ...disagreements.map((line) => `Totals disagree: ${line}`),
    `${equal ? 'Equal: the books hold exactly what the files hold.' : 'DIFFERENT: the books do not hold what the files hold.'} ` +
      `(${(progress.elapsedMs / 1_000).toFixed(1)} s)`,
  ].join('\n');

export const howToLook = ({ postgres, hub, reports, branches }: Stack, runFile: string): string => `
Everything is still running. Ctrl-C stops it.
  dashboard  ${reports?.url ?? 'not started'}
  books      psql '${postgres.ownerUrl}'
             select * from journal limit 10;
  hub        ${hub.url}/v1/status
  agents     ${branches.map(({ url }) => `${url}/v1/status`).join('\n             ')}
  addresses  ${runFile}`;
