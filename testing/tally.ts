/** The totals of a test run, read from vitest's JSON reports. */
export type Tally = { passed: number; failed: number; skipped: string[] };

type Report = {
  testResults: {
    name: string;
    status: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
};

export const emptyTally = (): Tally => ({ passed: 0, failed: 0, skipped: [] });

/**
 * `endedWell`: vitest exited with 0. It also fails for reasons that belong to no test: a file that cannot be loaded, an error
 * after the last test, a report that was never written. Each of them counts as one failure.
 */
export const addReport = (tally: Tally, report: Report | undefined, endedWell: boolean): void => {
  const before = tally.failed;
  for (const file of report?.testResults ?? []) {
    const failed = file.assertionResults.filter((one) => one.status === 'failed').length;
    tally.failed += failed === 0 && file.status === 'failed' ? 1 : failed;
    tally.passed += file.assertionResults.filter((one) => one.status === 'passed').length;
    for (const one of file.assertionResults)
      if (one.status !== 'passed' && one.status !== 'failed') tally.skipped.push(one.fullName.trim());
  }
  if (!endedWell && tally.failed === before) tally.failed += 1;
};

export const lastLine = ({ passed, failed, skipped }: Tally): string =>
  `${passed} passed, ${failed} failed${skipped.length === 0 ? '' : `, ${skipped.length} skipped`}`;
