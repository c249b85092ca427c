import { expect, test } from 'vitest';
import { alerts, metricsIn, metricsOfDashboard } from '../world/monitoring.ts';
import { files, textOf } from './tree.ts';

/** Alerts, their pages, the dashboard and the list of metrics speak of the same things. What is served is looked at end to end. */

const pages = files.filter((path) => path.startsWith('docs/operating/runbooks/'));
const listed = [...textOf('docs/operating/metrics.md').matchAll(/^\| `(\w+)`/gm)].map(
  (row) => row[1] as string,
);

test('every alert has a page of its own that begins with its name, and every page an alert', () => {
  expect(alerts.length).toBeGreaterThan(10);
  expect(alerts.map((alert) => alert.annotations.runbook_url).sort()).toEqual([...pages].sort());
  for (const { alert, annotations } of alerts)
    expect(textOf(annotations.runbook_url).split('\n')[0]).toBe(`# ${alert}`);
});

test.each(pages)(
  '%s says what it means, what it costs, where to look, what to do and when to escalate',
  (page) => {
    const parts = [...textOf(page).matchAll(/^\*\*(\w+(?: \w+)?)\b/gm)].map((part) => part[1]);
    expect(parts).toEqual(['Meaning', 'Impact', 'Look at', 'Do', 'Escalate']);
  },
);

test('every alert says how urgent it is', () => {
  expect(alerts.filter(({ labels }) => !['page', 'ticket'].includes(labels.severity))).toEqual([]);
});

test('alerts, the dashboard and the pages name metrics that are in the list', () => {
  const named = [
    ...alerts.flatMap(({ expr }) => metricsIn(expr)),
    ...metricsOfDashboard(),
    ...pages.flatMap((page) => metricsIn(textOf(page))),
  ];
  expect(named.length).toBeGreaterThan(50);
  expect([...new Set(named)].filter((name) => !listed.includes(name))).toEqual([]);
});

test('every metric of ours is on the dashboard or in an alert, or it would be watched by nobody', () => {
  const watched = new Set([...alerts.flatMap(({ expr }) => metricsIn(expr)), ...metricsOfDashboard()]);
  expect(listed.filter((name) => !watched.has(name))).toEqual([]);
});
