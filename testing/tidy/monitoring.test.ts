import { expect, test } from 'vitest';
import { alerts, metricsIn, metricsOfDashboard } from '../world/monitoring.ts';
import { code, files, isForTests, textOf } from './tree.ts';

/** Alerts, runbooks, the dashboard and the list of metrics agree. What the services export is checked end to end. */

const runbooks = files.filter((path) => path.startsWith('docs/operating/runbooks/'));
const listed = [...textOf('docs/operating/metrics.md').matchAll(/^\| `(\w+)`/gm)].map(
  (row) => row[1] as string,
);

test('every alert has a runbook that begins with its name, and every runbook an alert', () => {
  expect(alerts.length).toBeGreaterThan(10);
  expect(alerts.map((alert) => alert.annotations.runbook_url).sort()).toEqual([...runbooks].sort());
  for (const { alert, annotations } of alerts)
    expect(textOf(annotations.runbook_url).split('\n')[0]).toBe(`# ${alert}`);
});

test.each(runbooks)('%s has its five sections in order', (runbook) => {
  const sections = [...textOf(runbook).matchAll(/^\*\*(\w+(?: \w+)?)\b/gm)].map((section) => section[1]);
  expect(sections).toEqual(['Meaning', 'Impact', 'Look at', 'Do', 'Escalate']);
});

test('every alert says how urgent it is', () => {
  expect(alerts.filter(({ labels }) => !['page', 'ticket'].includes(labels.severity))).toEqual([]);
});

test('every metric that alerts, the dashboard or runbooks name is in the list', () => {
  const named = [
    ...alerts.flatMap(({ expr }) => metricsIn(expr)),
    ...metricsOfDashboard(),
    ...runbooks.flatMap((runbook) => metricsIn(textOf(runbook))),
  ];
  expect(named.length).toBeGreaterThan(50);
  expect([...new Set(named)].filter((name) => !listed.includes(name))).toEqual([]);
});

test('every metric of ours is on the dashboard or in an alert', () => {
  const watched = new Set([...alerts.flatMap(({ expr }) => metricsIn(expr)), ...metricsOfDashboard()]);
  expect(listed.filter((name) => !watched.has(name))).toEqual([]);
});

/** Everything that ships, as text: a page that quotes it is found out here, and not first when a stack runs. */
const shipped = code
  .filter((path) => !isForTests(path))
  .map(textOf)
  .join('\n');

test('the list describes each metric in the words in which it is served', () => {
  const described = [...textOf('docs/operating/metrics.md').matchAll(/^\| `\w+` \| \w+ \| (.+) \|$/gm)].map(
    (row) => row[1] as string,
  );
  expect(described).toHaveLength(listed.length);
  expect(described.filter((text) => !shipped.includes(text))).toEqual([]);
});

test('a log line that a runbook quotes is one that a service writes', () => {
  const quoted = runbooks.flatMap((runbook) =>
    [...textOf(runbook).matchAll(/`([^`\n]+)`/g)]
      .map((found) => found[1] as string)
      .filter((text) => text.includes(' ') && !/^(GET|POST|PUT) /.test(text))
      .flatMap((text) => text.split(' … ')),
  );
  expect(quoted.length).toBeGreaterThan(3);
  expect(quoted.filter((text) => !shipped.includes(text))).toEqual([]);
});
