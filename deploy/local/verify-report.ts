import { quantityPlaces, shown, valuePlaces } from '@branchline/simulators/online-retail/figures.ts';
import { reconciliationJson } from '@branchline/simulators/online-retail/reconciliation.ts';
import type { Survey } from '@branchline/simulators/online-retail/survey.ts';
import type { VerifyResult } from '@branchline/simulators/online-retail/verify.ts';
import type { Stack } from './stack.ts';
import type { VerifyArguments } from './verify-options.ts';

/** What `npm run verify` prints, apart from its progress and its table. */

const counted = (n: number, one: string): string =>
  `${n.toLocaleString('en-GB')} ${one}${n === 1 ? '' : 's'}`;

/** The rules that make the books differ from the files, printed so that none changes a figure silently. */
const ruleLines = ({ rounded, adjustments }: Survey['expected']): string[] => [
  ...(rounded.lines === 0
    ? []
    : [
        `${counted(rounded.lines, 'line')} not in whole pence: each is rounded half away from zero, ${shown(rounded.value, valuePlaces, 2)} in total.`,
      ]),
  ...(adjustments.lines === 0
    ? []
    : [
        `${counted(adjustments.lines, 'line')} of adjustments, which are not goods: their value of ${shown(adjustments.value, valuePlaces, 2)} counts, their quantity of ${shown(adjustments.quantity, quantityPlaces, 0)} does not.`,
      ]),
];

export const describe = (survey: Survey, { sites, data }: VerifyArguments): string =>
  [surveyText(survey, sites, data), ...ruleLines(survey.expected)].join('\n');

const surveyText = (survey: Survey, sites: number, data: string): string =>
  `${data}: ${survey.expected.days.size} days, ${(survey.transactions + survey.movements).toLocaleString('en-GB')} invoices ` +
  `(${survey.transactions} transactions, ${survey.movements} stock movements) and ${survey.dayReports} day-end reports; ` +
  `the largest event has ${Math.ceil(survey.largestEventBytes / 1024)} KiB.\n` +
  `The data set has no stores: a hash of the invoice number assigns each invoice to one of ${sites} invented ones.`;

export const jsonText = (
  result: VerifyResult,
  { expected }: Survey,
  { sites, speed, broker }: VerifyArguments,
): string => {
  const { total, fed, accepted, recorded, applied, elapsedMs } = result.progress;
  return `${JSON.stringify(
    {
      ...reconciliationJson(result.reconciliation),
      rounded: { lines: expected.rounded.lines, value: shown(expected.rounded.value, valuePlaces, 2) },
      adjustments: {
        lines: expected.adjustments.lines,
        quantity: Number(shown(expected.adjustments.quantity, quantityPlaces, 0)),
        value: shown(expected.adjustments.value, valuePlaces, 2),
      },
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

export const verdict = (
  { equal, stalled, disagreements, progress }: VerifyResult,
  { expected }: Survey,
  logDir: string,
): string =>
  [
    ...(stalled ? [`Progress stopped before everything was applied. Logs: ${logDir}`] : []),
    ...disagreements.map((line) => `Totals disagree: ${line}`),
    `${equal ? 'EQUAL: the books hold exactly what the files hold' : 'DIFFERENT: the books do not hold what the files hold'}` +
      `${expected.rounded.lines === 0 ? '' : ', rounded to whole pence'}. ` +
      `(${(progress.elapsedMs / 1_000).toFixed(1)} s)`,
  ].join('\n');

export const whereToLook = ({ postgres, hub, reports, branches }: Stack, runFile: string): string => `
Everything is still running. Ctrl-C stops it.
  dashboard  ${reports?.url ?? 'not started'}
  books      psql '${postgres.ownerUrl}'
             select * from journal limit 10;
  hub        ${hub.url}/v1/status
  agents     ${branches.map(({ url }) => `${url}/v1/status`).join('\n             ')}
  addresses  ${runFile}`;
