/// <reference lib="dom" />
import type { SalesInterval } from '../../reports/contract.ts';
import { apiPath, getJson, problemText, type Query } from '../api.ts';
import { type Column, tableBehind } from '../data-table.ts';
import { box, element, input, select, setText, whenQuiet } from '../dom.ts';
import { count, money, span, viewerZone } from '../model/figures.ts';
import {
  completenessText,
  currenciesOf,
  fromFirstSale,
  localMidnight,
  mainCurrency,
} from '../model/sales-day.ts';
import type { Page } from '../page.ts';
import type { Rows } from '../rows.ts';
import { createSalesChart } from './sales-chart.ts';

/** Today by interval: the figure, its completeness, and the figure first reported. */
const refreshMs = 2_000;
/** The line below the chart must not change its height under the pointer; the table has more names. */
const namesShown = 5;

const namesOf = (names: readonly string[], all: number): string => {
  const named = names.slice(0, namesShown);
  const more = all - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${count(more)} more` : ''}`;
};

const describeInterval = (one: SalesInterval): string => {
  const { expected, complete, unknown, missing, unknownSites } = one.completeness;
  const texts = [
    span(one.start, one.end),
    money(one.gross, one.currency),
    `${count(one.transactions)} transactions`,
    `${count(complete)} of ${count(expected)} sites`,
  ];
  if (one.onTime.gross !== one.gross) texts.push(`first reported ${money(one.onTime.gross, one.currency)}`);
  if (one.revision > 0) texts.push(`revision ${count(one.revision)}`);
  if (missing.length > 0) texts.push(`missing: ${namesOf(missing, expected - complete - unknown)}`);
  if (unknown > 0) texts.push(`unknown: ${namesOf(unknownSites, unknown)}`);
  return texts.join(' · ');
};

const totalText = (intervals: readonly SalesInterval[], currency: string, now: number): string => {
  const shown = intervals.filter((one) => one.currency === currency);
  const drawnFrom = fromFirstSale(intervals)[0]?.start;
  if (drawnFrom === undefined) return 'Nothing sold yet today';
  const total = shown.reduce((sum, one) => sum + one.gross, 0);
  const transactions = shown.reduce((sum, one) => sum + one.transactions, 0);
  const drawn = shown.filter(({ start }) => start >= drawnFrom);
  return `${money(total, currency)} · ${count(transactions)} transactions · ${completenessText(drawn, now)}`;
};

const tableColumns: readonly Column<SalesInterval>[] = [
  { head: 'Interval', cell: (one) => span(one.start, one.end) },
  { head: 'Gross', number: true, cell: (one) => money(one.gross, one.currency) },
  { head: 'First reported', number: true, cell: (one) => money(one.onTime.gross, one.currency) },
  { head: 'Transactions', number: true, cell: (one) => count(one.transactions) },
  {
    head: 'Sites complete',
    number: true,
    cell: ({ completeness }) => `${completeness.complete}/${completeness.expected}`,
  },
  { head: 'Missing', cell: (one) => one.completeness.missing.join(', ') },
  { head: 'Unknown', cell: (one) => one.completeness.unknownSites.join(', ') },
  { head: 'Revision', number: true, cell: (one) => count(one.revision) },
];

export const createSalesPanel = (page: Page) => {
  const { state } = page;
  const site = input('sales-site');
  const minutes = select('sales-minutes');
  const currency = select('sales-currency');
  let intervals: SalesInterval[] = [];
  let asking = 0;
  let loadedAt = 0;
  let timer = 0;

  const chart = createSalesChart(page, {
    host: box('sales-chart'),
    describe: describeInterval,
    onInspect: (one) => setText(box('sales-readout'), one === undefined ? ' ' : describeInterval(one)),
  });

  const chosen = (): SalesInterval[] => intervals.filter((one) => one.currency === currency.value);

  const query = (): Query => ({
    site: site.value.trim(),
    minutes: minutes.value,
    from: new Date(localMidnight(page.now())).toISOString(),
    to: new Date(page.now() + 60_000).toISOString(),
  });

  const behind = tableBehind<SalesInterval>(
    box('sales-table'),
    'Sales today',
    tableColumns,
    () => chosen().toReversed(),
    () => apiPath('/sales/intervals', { ...query(), format: 'csv' }),
  );

  const draw = (): void => {
    const names = currenciesOf(intervals);
    if (names.join() !== [...currency.options].map((option) => option.value).join()) {
      const before = currency.value;
      currency.replaceChildren(...names.map((name) => element('option', { value: name, text: name })));
      currency.value = names.includes(before) ? before : (mainCurrency(intervals) ?? '');
    }
    box('sales-currency-label').hidden = names.length < 2;
    const shown = chosen();
    chart.show(shown, fromFirstSale(intervals), currency.value);
    behind.refresh();
    setText(box('sales-total'), totalText(intervals, currency.value, page.now()));
  };

  const load = async (): Promise<void> => {
    const asked = ++asking;
    loadedAt = performance.now();
    try {
      let all: SalesInterval[] = [];
      for (let cursor: string | undefined; ; ) {
        const body = await getJson<Rows<SalesInterval>>('/sales/intervals', {
          ...query(),
          limit: 1_000,
          cursor,
        });
        if (asked !== asking) return;
        all = [...all, ...body.rows];
        if (body.next === null) break;
        cursor = body.next;
      }
      intervals = all;
      chart.problem(undefined);
      draw();
    } catch (error) {
      if (asked === asking) chart.problem(problemText(error));
    }
  };

  /** Figures of one site, another interval or another day are not in the stream: reload, at most every two seconds. */
  const refresh = (): void => {
    if (timer !== 0) return;
    timer = window.setTimeout(
      () => {
        timer = 0;
        void load();
      },
      Math.max(0, refreshMs - (performance.now() - loadedAt)),
    );
  };

  /** The stream has the figures of all sites in the books' own interval. */
  const mergeLive = (): boolean => {
    if (site.value.trim() !== '' || minutes.value !== '' || intervals.length === 0) return false;
    const byStart = new Map(intervals.map((one) => [`${one.start} ${one.currency}`, one]));
    for (const one of state.intervals.values())
      if (Date.parse(one.start) >= localMidnight(page.now()))
        byStart.set(`${one.start} ${one.currency}`, one);
    intervals = [...byStart.values()].sort((a, b) => (a.start < b.start ? -1 : 1));
    return true;
  };

  const choose = (name: string): void => {
    site.value = name;
    void load();
  };
  const typed = whenQuiet(300, () => {
    const text = site.value.trim();
    if (text === '' || state.sites.has(text)) void load();
  });
  site.addEventListener('input', typed);
  minutes.addEventListener('change', () => void load());
  currency.addEventListener('change', draw);
  setText(box('sales-title'), `Sales today, ${viewerZone} time`);

  return {
    load,
    choose,
    redraw: chart.redraw,
    takeLive: (changed: boolean): void => {
      if (!changed) return;
      if (mergeLive()) draw();
      else refresh();
    },
  };
};
