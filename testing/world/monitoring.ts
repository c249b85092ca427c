import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '@branchline/local/paths.ts';
import { parse } from 'yaml';

/** The files of deploy/monitoring, read as Prometheus and Grafana read them. */
const read = (name: string): string => readFileSync(join(checkout, 'deploy/monitoring', name), 'utf8');

export type Alert = {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook_url: string };
};

export const alerts: readonly Alert[] = (
  parse(read('alerts.yaml')) as { groups: { rules: Alert[] }[] }
).groups.flatMap(({ rules }) => rules);

/** The metrics that an expression or a text names; a histogram's series count under its own name. */
export const metricsIn = (text: string): string[] =>
  [
    ...text.matchAll(/\b(?:branchline_(?:agent|bridge|hub|fleet|books|build)|process|nodejs)_[a-z0-9_]+\b/g),
  ].map(([name]) => name.replace(/(_seconds)_(bucket|sum|count)$/, '$1'));

type Panel = { title: string; targets?: { expr: string }[] };

export const metricsOfDashboard = (): string[] =>
  (JSON.parse(read('grafana-dashboard.json')) as { panels: Panel[] }).panels
    .flatMap(({ targets = [] }) => targets)
    .flatMap(({ expr }) => metricsIn(expr));
