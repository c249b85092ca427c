import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from '@branchline/local/paths.ts';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Debian's Chromium, driven by playwright-core, which ships no browser. */
export const installChromium = 'sudo apt-get install --no-install-recommends chromium fonts-dejavu-core';

/** Undefined when not installed. */
export const chromiumPath: string | undefined = [
  '/usr/bin/chromium',
  ...(process.env.PATH ?? '').split(':').map((folder) => join(folder, 'chromium')),
].find((file) => existsSync(file));

if (chromiumPath === undefined)
  console.warn(`SKIPPED: no Chromium on this machine; install it with: ${installChromium}`);

/** The browser must not connect anywhere by itself: the tests check that no request leaves the machine. */
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const openChromium = (): Promise<Browser> =>
  chromium.launch({
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    args: flags,
  });

const hourIn = (timeZone: string, at: Date): number =>
  Number(new Intl.DateTimeFormat('en-GB', { hour: '2-digit', hourCycle: 'h23', timeZone }).format(at));
const zones = [
  ...['Europe/Berlin', 'America/New_York', 'America/Los_Angeles', 'Pacific/Honolulu', 'Pacific/Auckland'],
  ...['Australia/Sydney', 'Asia/Tokyo', 'Asia/Shanghai', 'Asia/Kolkata', 'Asia/Dubai', 'America/Sao_Paulo'],
];

/** Zones whose offset is not a whole hour; `npm run test:clocks -- --pages` tests the pages in these. */
const oddZones = [
  ...['Asia/Kolkata', 'Asia/Kathmandu', 'Pacific/Chatham', 'America/St_Johns', 'Asia/Tehran', 'Asia/Kabul'],
  ...['Asia/Yangon', 'Australia/Eucla', 'Australia/Adelaide', 'Pacific/Marquesas'],
];

/** A zone where it is afternoon now: a page that shows today must not be tested in the first minutes of a day. */
export const afternoonZone: string = (() => {
  const now = new Date();
  const fromTwo = (zone: string): number => Math.abs(hourIn(zone, now) - 14);
  const among = process.env.BRANCHLINE_ODD_ZONES === '1' ? oddZones : zones;
  return among.toSorted((a, b) => fromTwo(a) - fromTwo(b))[0] as string;
})();

/** The minutes that a clock in the zone shows when one in UTC shows `minutesUtc`. */
export const minutesIn = (zone: string, minutesUtc: number): string =>
  new Intl.DateTimeFormat('en-GB', { minute: '2-digit', timeZone: zone })
    .format(new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 + minutesUtc * 60_000))
    .padStart(2, '0');

/** A page that records what should not happen on it. */
export type WatchedPage = {
  page: Page;
  /** Console errors and warnings, exceptions, violations of the content security policy, foreign requests. */
  problems: string[];
  close(): Promise<void>;
};

export const openPage = async (
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> => {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: afternoonZone,
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:' && protocol !== 'blob:' && origin !== new URL(url).origin)
      problems.push(`request to ${request.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) =>
      console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  await page.goto(url);
  return { page, problems, close: () => context.close() };
};

/** Waits until the stream has delivered the sites. */
export const untilLive = async (page: Page, sites: number): Promise<void> => {
  await page.waitForFunction(
    (many) =>
      document.querySelector('#link-state')?.getAttribute('data-link') === 'live' &&
      Number(document.querySelector('#fleet-shown')?.textContent?.replaceAll(/\D/g, '')) === many,
    sites,
    { timeout: 30_000 },
  );
};

/** CI keeps this folder. */
const pictures = join(cache, 'screenshots');

export const screenshot = async (page: Page, name: string, fullPage = false): Promise<void> => {
  mkdirSync(pictures, { recursive: true });
  // Charts are drawn on the frame after their data.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage });
};

type Violation = { id: string; impact: string | null; nodes: { html: string; failureSummary?: string }[] };

/** Serious and critical findings of axe-core, one line each. */
export const seriousFindings = async (page: Page): Promise<string[]> => {
  const { violations } = (await page.evaluate(`(() => { ${axe.source}; return axe.run(); })()`)) as {
    violations: Violation[];
  };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`),
    );
};
