/// <reference lib="dom" />
import type { Pipeline } from '../../reports/contract.ts';
import { type Column, table } from '../data-table.ts';
import { box, element, setText } from '../dom.ts';
import { clockSeconds, count, duration, moment, rate } from '../model/figures.ts';
import type { Page } from '../page.ts';

/** Where events are between tills and books, in events per second and seconds of lag. */
const stage = (name: string, note: string) => {
  const total = element('span', { class: 'stage-total', text: '–' });
  const speed = element('span', { class: 'stage-rate', text: '–' });
  const words = element('span', { class: 'note', text: note });
  box('pipeline-path').append(
    element(
      'li',
      { class: 'stage' },
      element('span', { class: 'stage-name', text: name }),
      total,
      speed,
      words,
    ),
  );
  return { total, speed };
};
const between = (word: string) => {
  const value = element('span', { class: 'between-value', text: '–' });
  box('pipeline-path').append(
    element('li', { class: 'between' }, value, element('span', { class: 'note', text: word })),
  );
  return value;
};

/** What waits at a branch that is not heard from is unknown. */
const waitingAtBranches = ({ pending, unknown }: Pipeline): string => {
  const silent =
    unknown === null
      ? ''
      : ` + ${count(unknown.sites)} unknown ${unknown.sites === 1 ? 'site' : 'sites'} since ${clockSeconds(unknown.since)}`;
  return `${pending === null ? 'unknown' : count(pending)}${silent}`;
};

/** Hidden while every partition can be read. Redrawn only on a change, because a screen reader then reads it aloud. */
const createUnreadableNotice = () => {
  const place = box('pipeline-unreadable');
  let drawn = '[]';
  return ({ unreadable }: Pipeline): void => {
    const key = JSON.stringify(unreadable);
    if (key === drawn) return;
    drawn = key;
    place.hidden = unreadable.length === 0;
    place.replaceChildren(
      element('h3', { text: '⚠ Partitions that stand still' }),
      element('p', {
        text: 'New sales of their sites are not in the books. Nothing is lost: agents keep what is not applied. The runbook UnreadablePartition says what to do.',
      }),
      table('Partitions that stand still', unreadableColumns, unreadable),
    );
  };
};

const unreadableColumns: readonly Column<Pipeline['unreadable'][number]>[] = [
  { head: 'Partition', name: true, cell: (one) => `${one.topic}/${one.partition}` },
  { head: 'Since', name: true, cell: (one) => moment(one.since) },
  { head: 'Hub', cell: (one) => one.hub },
  { head: 'Reason and what to do', cell: (one) => one.reason },
];

export const createPipelinePanel = ({ state }: Page) => {
  const accepted = stage('accepted', 'synced on the branch’s disk');
  const waiting = between('waiting at the branches');
  const recorded = stage('recorded', 'in Kafka, on all replicas');
  const lag = between('waiting for the ledger');
  const applied = stage('applied', 'in the books');

  const showUnreadable = createUnreadableNotice();
  const facts = new Map<string, HTMLElement>();
  for (const name of ['Lag', 'Time to clear', 'Dead letters', 'Held in quarantine', 'Lost by retention']) {
    const value = element('dd', { text: '–' });
    facts.set(name, value);
    box('pipeline-facts').append(element('div', {}, element('dt', { text: name }), value));
  }
  const fact = (name: string, text: string, tone = 'plain'): void => {
    const value = facts.get(name) as HTMLElement;
    setText(value, text);
    value.dataset.tone = tone;
  };

  return {
    render: (): void => {
      const { pipeline } = state;
      if (pipeline === undefined) return;
      for (const [name, target] of [
        ['accepted', accepted],
        ['recorded', recorded],
        ['applied', applied],
      ] as const) {
        setText(target.total, count(pipeline[name]));
        setText(target.speed, rate(pipeline.rates[name]));
      }
      setText(waiting, waitingAtBranches(pipeline));
      setText(lag, count(pipeline.lagRecords));
      fact('Lag', `${duration(pipeline.lagSeconds)} · ${count(pipeline.lagRecords)} records`);
      fact('Time to clear', pipeline.clearSeconds === null ? 'unknown' : duration(pipeline.clearSeconds));
      fact('Dead letters', count(pipeline.deadLetters), pipeline.deadLetters > 0 ? 'warn' : 'plain');
      fact('Held in quarantine', count(pipeline.quarantined), pipeline.quarantined > 0 ? 'warn' : 'plain');
      fact(
        'Lost by retention',
        count(pipeline.lostByRetention),
        pipeline.lostByRetention > 0 ? 'bad' : 'plain',
      );
      setText(box('pipeline-note'), `as of ${clockSeconds(pipeline.at)}`);
      showUnreadable(pipeline);
      box('pipeline-hubs').replaceChildren(
        pipeline.hubs.length === 0
          ? element('p', { class: 'empty', text: 'No ledger has reported yet.' })
          : table(
              'Hubs',
              [
                { head: 'Hub', cell: (hub) => hub.instance },
                { head: 'State', cell: (hub) => (hub.alive ? '● alive' : '○ silent') },
                { head: 'Version', cell: (hub) => hub.version },
                { head: 'Lag', number: true, cell: (hub) => duration(hub.lagSeconds) },
                { head: 'Records behind', number: true, cell: (hub) => count(hub.lagRecords) },
                { head: 'Last report', cell: (hub) => clockSeconds(hub.saidAt) },
              ],
              pipeline.hubs,
            ),
      );
    },
  };
};
