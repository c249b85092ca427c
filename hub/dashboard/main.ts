/// <reference lib="dom" />
import type { Correction } from '../reports/contract.ts';
import { createAnnouncer } from './announcer.ts';
import { getJson } from './api.ts';
import { box, element, setText } from './dom.ts';
import { createHatch } from './hatch.ts';
import { type LinkState, openLive } from './live.ts';
import { clockSeconds } from './model/figures.ts';
import { type Change, emptyState, takeCorrections, takePulse } from './model/page-state.ts';
import type { Page } from './page.ts';
import { createCompletenessPanel } from './panels/completeness-panel.ts';
import { createCorrectionsPanel } from './panels/corrections-panel.ts';
import { createFleetPanel } from './panels/fleet-panel.ts';
import { createFreshnessStrip } from './panels/freshness-strip.ts';
import { createPipelinePanel } from './panels/pipeline-panel.ts';
import { createQuarantinePanel } from './panels/quarantine-panel.ts';
import { createReconciliationPanel } from './panels/reconciliation-panel.ts';
import { createSalesPanel } from './panels/sales-panel.ts';
import { createSitePanel } from './panels/site-panel.ts';
import { createStockPanel } from './panels/stock-panel.ts';
import { createTilesPanel } from './panels/tiles-panel.ts';
import type { Rows } from './rows.ts';
import { followSections } from './section-nav.ts';
import { startTheme } from './theme.ts';

/** The page on one screen: one stream updates one state, and the panels draw it at most once a frame. */
const state = emptyState();
/** The server's clock minus this one, in ms. */
let clockOffset = 0;
let started = false;
const page: Page = {
  state,
  theme: startTheme(() => started && redrawCanvases()),
  hatch: createHatch(),
  announcer: createAnnouncer(),
  now: () => Date.now() + clockOffset,
};

const sales = createSalesPanel(page);
const site = createSitePanel(page, (name) => {
  sales.choose(name);
  box('sales').scrollIntoView();
  box('sales-site').focus({ preventScroll: true });
});
const tiles = createTilesPanel(page);
const fleet = createFleetPanel(page, site.open);
const freshness = createFreshnessStrip(page);
const corrections = createCorrectionsPanel(page, site.open);
const heat = createCompletenessPanel(page, site.open);
const reconciliation = createReconciliationPanel(page);
const stock = createStockPanel(page);
const pipeline = createPipelinePanel(page);
const quarantine = createQuarantinePanel(page);
const onPulse = [tiles, corrections, pipeline, quarantine];
const onSites = [fleet, freshness, heat, site];

const redrawCanvases = (): void => {
  fleet.redraw();
  freshness.render();
  heat.redraw();
  sales.redraw();
};

let waiting: Change | undefined;
let seconds = 0;
const draw = (): void => {
  const change = waiting;
  waiting = undefined;
  if (change === undefined) return;
  for (const panel of onPulse) panel.render();
  if (change.sites || change.corrections) for (const panel of onSites) panel.render();
  sales.takeLive(change.intervals || change.sites);
};
const drawSoon = (change: Change): void => {
  if (waiting === undefined) requestAnimationFrame(draw);
  waiting = {
    moved: [],
    sites: change.sites || waiting?.sites === true,
    intervals: change.intervals || waiting?.intervals === true,
    corrections: change.corrections || waiting?.corrections === true,
  };
};

let link: LinkState = 'connecting';
const showLink = (next: LinkState): void => {
  link = next;
  box('link-state').dataset.link = next;
  const last = state.at === undefined ? undefined : `last update ${clockSeconds(state.at)}`;
  setText(box('link-text'), next === 'live' ? `live, ${last ?? ''}` : (last ?? 'connecting'));
  const isLost = next === 'lost';
  document.documentElement.classList.toggle('is-stale', isLost);
  const banner = box('banner');
  banner.hidden = !isLost;
  setText(
    banner,
    isLost
      ? `The hub does not answer. The figures are out of date${last === undefined ? '' : `: ${last}`}. Reconnecting …`
      : '',
  );
};

/** After a reconnect anything may have changed: reload the lists that are not in the stream. */
const loadLists = async (): Promise<void> => {
  const since = new Date(page.now() - 24 * 3_600_000).toISOString();
  const earlier = await getJson<Rows<Correction>>('/corrections', { since, limit: 500 }).catch(
    () => undefined,
  );
  if (earlier !== undefined && takeCorrections(state, earlier.rows))
    drawSoon({ moved: [], sites: false, intervals: false, corrections: true });
  await Promise.all([sales.load(), quarantine.load(), reconciliation.load(), stock.load()]);
};

started = true;
// Forms group controls and fields; none is ever sent (CSP form-action 'none').
document.addEventListener('submit', (event) => event.preventDefault());
followSections();
let names = 0;
openLive(
  (pulse) => {
    const change = takePulse(state, pulse);
    clockOffset = Date.parse(pulse.at) - Date.now();
    page.announcer.sitesMoved(change.moved);
    drawSoon(change);
    showLink('live');
    if (names === state.sites.size) return;
    names = state.sites.size;
    const options = [...state.sites.keys()].sort().map((name) => element('option', { value: name }));
    box('site-names').replaceChildren(...options);
  },
  (next) => {
    const back = next === 'live' && link !== 'live';
    if (next !== 'live' || back) showLink(next);
    if (back) void loadLists();
  },
);

/** Ages advance even without messages; open tables follow more slowly, so that they can be read. */
const everyTables = 5;
const everyLists = 30;
setInterval(() => {
  // Before the first message the page cannot even say that there is nothing.
  if (state.at === undefined) return;
  for (const panel of onSites) panel.render();
  seconds += 1;
  if (seconds % everyTables === 0) {
    fleet.refreshTable();
    heat.refreshTable();
  }
  if (seconds % everyLists !== 0 || link !== 'live' || document.hidden) return;
  void reconciliation.load();
  void stock.refresh();
}, 1_000);
