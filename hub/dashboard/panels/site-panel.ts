/// <reference lib="dom" />
import type { FleetSite, VoidRow } from '../../reports/contract.ts';
import { getJson, problemText, sendJson } from '../api.ts';
import { box, button, element, need, setText, whilePressed } from '../dom.ts';
import { count, duration, moment } from '../model/figures.ts';
import { ageOf, stateLetters, stateWords } from '../model/fleet-order.ts';
import { voidsText } from '../model/void-text.ts';
import { waitingTexts } from '../model/waiting-text.ts';
import type { Page } from '../page.ts';
import type { Rows } from '../rows.ts';
import { createReplayForm } from './replay-form.ts';
import { createUnknownList } from './unknown-list.ts';

/** One site in detail: its state, its line where the network is simulated, and replay. */
type Demo = { available: boolean; offline: string[] };
const noDemo: Demo = { available: false, offline: [] };

const voidsPage = 100;

const readVoidsToCheck = async (site: string): Promise<string> => {
  const { rows, next }: Rows<VoidRow> = await getJson('/voids', { site, flagged: true, limit: voidsPage });
  return voidsText(rows, next !== null);
};

const factsOf = (site: FleetSite, now: number, voids: string): [string, string][] => {
  const age = ageOf(site, now);
  const waits = waitingTexts(site);
  const clock =
    Math.abs(site.clockAheadMs) < 1_000
      ? 'correct'
      : `${duration(Math.abs(site.clockAheadMs) / 1_000)} ${site.clockAheadMs > 0 ? 'ahead' : 'behind'}`;
  return [
    [
      'Complete to',
      site.completeTo === null || age === undefined
        ? 'no data yet'
        : `${moment(site.completeTo)}, ${duration(age)} ago`,
    ],
    ['Last heard', site.heardAt === null ? 'never' : moment(site.heardAt)],
    ['Waiting at the site', waits.waiting],
    ['Oldest waiting event', waits.oldest],
    ['Backlog cleared in', waits.cleared],
    ['Missing in the books', site.gaps === 0 ? '0 gaps' : `${count(site.gaps)} seqs`],
    ['Voids to check', voids],
    ['Version', site.versions.length === 0 ? 'unknown' : site.versions.join(', ')],
    ['Clock', site.clockSuspect ? `⚠ ${clock}` : clock],
  ];
};

/** The line of the site that is shown, where the network is simulated. */
const createNetworkSwitch = ({ announcer }: Page) => {
  const networkSwitch = button('network-switch');
  let site = '';
  let demo = noDemo;

  const render = (): void => {
    box('site-network').hidden = !demo.available;
    const isOut = demo.offline.includes(site);
    setText(networkSwitch, isOut ? 'Reconnect' : 'Disconnect');
    setText(
      box('network-text'),
      isOut
        ? 'This site is disconnected. It keeps selling and stores every event.'
        : 'Cuts the simulated network connection of this site.',
    );
  };

  const read = async (): Promise<void> => {
    demo = await getJson<Demo>('/demo').catch(() => noDemo);
    render();
  };

  const turn = async (): Promise<void> => {
    const turned = site;
    const online = demo.offline.includes(turned);
    try {
      await sendJson('PUT', `/demo/sites/${encodeURIComponent(turned)}`, { online });
      announcer.say(`${turned} is ${online ? 'reconnected' : 'disconnected'}.`);
      await read();
    } catch (error) {
      setText(box('network-text'), problemText(error));
    }
  };
  networkSwitch.addEventListener('click', whilePressed(networkSwitch, turn));

  return {
    show: (name: string): void => {
      site = name;
      render();
      void read();
    },
  };
};

const createFacts = () => {
  const facts = new Map<string, HTMLElement>();
  return (name: string, text: string): void => {
    let value = facts.get(name);
    if (value === undefined) {
      value = element('dd');
      facts.set(name, value);
      box('site-facts').append(element('div', {}, element('dt', { text: name }), value));
    }
    setText(value, text);
  };
};

export const createSitePanel = (page: Page, showSales: (site: string) => void) => {
  const { state, now } = page;
  const dialog = need('site-panel', HTMLDialogElement);
  const replay = createReplayForm(page);
  const networkSwitch = createNetworkSwitch(page);
  const unknownList = createUnknownList(page);
  let shown: string | undefined;
  let cameFrom: Element | null = null;
  let voids = 'unknown';
  const showFact = createFacts();

  const render = (): void => {
    if (shown === undefined) return;
    const site = state.sites.get(shown);
    if (site === undefined) return;
    setText(box('site-title'), site.site);
    const line = box('site-state');
    line.dataset.state = site.state;
    setText(line, `${stateLetters[site.state]} · ${stateWords[site.state]}`);
    for (const [name, text] of factsOf(site, now(), voids)) showFact(name, text);
  };

  /** Moves the focus at once, not on the browser's close event: by then the person may be somewhere else. */
  const close = (): void => {
    if (!dialog.open) return;
    dialog.close();
    shown = undefined;
    if (cameFrom instanceof HTMLElement) cameFrom.focus();
  };
  // The dialog is not modal, so Escape is ours to handle.
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
  });
  button('site-close').addEventListener('click', close);
  button('site-sales').addEventListener('click', () => {
    if (shown === undefined) return;
    const site = shown;
    close();
    showSales(site);
  });

  const showVoids = async (site: string): Promise<void> => {
    voids = 'unknown';
    const found = await readVoidsToCheck(site).catch(() => 'unknown');
    if (shown !== site) return;
    voids = found;
    render();
  };

  return {
    render,
    open: (site: string): void => {
      if (!dialog.open) cameFrom = document.activeElement;
      shown = site;
      replay.open(site);
      if (!dialog.open) dialog.show();
      void showVoids(site);
      unknownList.show(site);
      render();
      networkSwitch.show(site);
      button('site-close').focus();
    },
  };
};
