import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  afternoonZone,
  chromiumPath,
  installChromium,
  minutesIn,
  openChromium,
  openPage,
  screenshot,
  seriousFindings,
  untilLive,
} from './chromium.ts';
import { type PageStand, startPageStand } from './page-stand.ts';

/** The dashboard as a person uses it: a real browser, the real report server, a real PostgreSQL. */

const stores = 80;
let stand: PageStand;
let browser: Browser;

describe.skipIf(chromiumPath === undefined)(`the dashboard (${installChromium})`, () => {
  beforeAll(async () => {
    stand = await startPageStand({ stores, hours: 30, transactionsPerHour: 12, zone: afternoonZone });
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await stand?.stop();
  });

  /** Opens the page, lets `use` work with it, and fails when the page had any problem of its own. */
  const onPage = async (use: (page: Page) => Promise<void>, options = {}): Promise<void> => {
    const { page, problems, close } = await openPage(browser, stand.url, options);
    try {
      await untilLive(page, stores);
      await page.waitForSelector('#stock-table table');
      await page.waitForSelector('#reconciliation-table table');
      await page.waitForSelector('#sales-chart canvas');
      await use(page);
      expect(problems).toEqual([]);
    } finally {
      await close();
    }
  };
  const textOf = async (page: Page, selector: string): Promise<string> =>
    (await page.textContent(selector)) ?? '';
  const rowsOf = (page: Page, id: string): Promise<number> => page.locator(`#${id} tbody tr`).count();
  const activeCell = (page: Page, list: string): Promise<string> => textOf(page, `${list} [role=option]`);

  /** The grid follows its filter with a delay. */
  const eventuallyOpen = async (page: Page, site: string): Promise<void> => {
    await expect.poll(() => activeCell(page, '#fleet-grid')).toContain(site);
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#site-panel[open]');
    expect(await textOf(page, '#site-title')).toBe(site);
  };

  test.each(['light', 'dark'] as const)(
    'in %s it loads without errors, policy violations and foreign requests, and axe finds nothing serious',
    async (colorScheme) => {
      await onPage(
        async (page) => {
          await screenshot(page, `page-${colorScheme}`, true);
          for (const details of await page.locator('summary').all()) await details.click();
          await page.locator('#fleet-grid [role=listbox]').focus();
          await page.keyboard.press('Enter');
          await page.waitForSelector('#site-panel[open]');
          expect(await seriousFindings(page)).toEqual([]);
        },
        { colorScheme },
      );
    },
  );

  test('a violation of the content security policy would be noticed', async () => {
    const { page, problems, close } = await openPage(browser, stand.url);
    await untilLive(page, stores);
    await page.evaluate(() => {
      document.body.insertAdjacentHTML('beforeend', '<p style="color: red">inline</p>');
    });
    await expect.poll(() => problems.join()).toContain('CSP: style-src');
    await close();
  });

  test('each site has the state that follows from its agents and its calendar', async () => {
    await onPage(async (page) => {
      const states = await page.$$eval('#fleet-legend li', (all) => all.map((one) => one.textContent));
      expect(states.join()).toMatch(/^O72 online,L2 late,S2 silent,C2 closed,N2 never heard$/);
      await page.selectOption('#fleet-state', 'late');
      await expect.poll(() => textOf(page, '#fleet-shown')).toBe(`2 of ${stores} sites`);
      await page.fill('#fleet-filter', '0043');
      await expect.poll(() => textOf(page, '#fleet-shown')).toBe(`1 of ${stores} sites`);
      await expect.poll(() => activeCell(page, '#fleet-grid')).toContain('store-0043, late');
      await page.fill('#fleet-filter', 'nobody');
      await expect.poll(() => activeCell(page, '#fleet-grid')).toBe('nothing to show');
    });
  });

  test('the keyboard reaches everything: skip link, grid by arrows, a site by Enter, and back by Escape', async () => {
    await onPage(async (page) => {
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the figures');
      await page.keyboard.press('Enter');
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
      const stops: string[] = [];
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press('Tab');
        const stop = await page.evaluate(() => {
          const { activeElement } = document;
          const outlined = activeElement !== null && getComputedStyle(activeElement).outlineStyle !== 'none';
          return `${activeElement?.closest('[id]')?.id ?? 'body'}${outlined ? '' : ' without a visible focus'}`;
        });
        if (stop.startsWith('body')) break;
        stops.push(stop);
      }
      expect(stops.filter((stop) => stop.endsWith('focus'))).toEqual([]);
      const order = [
        'check-now',
        'fleet-filter',
        'fleet-state',
        'fleet-order',
        'fleet-grid',
        'corrections-csv',
      ];
      const charts = [
        'sales-site',
        'sales-chart',
        'sales-table',
        'heat-map',
        'heat-table',
        'reconciliation-day',
      ];
      const wanted = [...order, ...charts, 'stock-site', 'stock-next', 'quarantine-state'];
      expect(
        stops.filter((stop) => wanted.includes(stop)).filter((stop, i, all) => stop !== all[i - 1]),
      ).toEqual(wanted);

      await page.locator('#fleet-grid [role=listbox]').focus();
      const first = await activeCell(page, '#fleet-grid');
      expect(first).toContain('silent');
      await page.keyboard.press('ArrowRight');
      await expect.poll(() => activeCell(page, '#fleet-grid')).not.toBe(first);
      const second = await activeCell(page, '#fleet-grid');
      await screenshot(page, 'keyboard-grid');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#site-panel[open]');
      expect(second).toContain(await textOf(page, '#site-title'));
      expect(await textOf(page, '#site-facts')).toContain('30 seqs');
      await screenshot(page, 'site-panel');
      await page.keyboard.press('Escape');
      expect(await page.locator('#site-panel').isVisible()).toBe(false);
      expect(await page.evaluate(() => document.activeElement?.parentElement?.id)).toBe('fleet-grid');

      await page.locator('#heat-map [role=listbox]').focus();
      const cell = await activeCell(page, '#heat-map');
      expect(cell).toMatch(/^store-0001, /);
      for (const key of ['ArrowDown', 'ArrowDown', 'End', 'ArrowLeft']) await page.keyboard.press(key);
      await expect
        .poll(() => activeCell(page, '#heat-map'))
        .toMatch(/^store-0003, .+: incomplete, complete to .+missing in the books/);
      await screenshot(page, 'keyboard-completeness');
    });
  });

  test('every chart has a table with the same figures, and a CSV with all of them', async () => {
    await onPage(async (page) => {
      for (const id of ['fleet-table', 'sales-table', 'heat-table']) {
        await page.click(`#${id} summary`);
        // The toggle event comes in a task of its own, and only then is the table built.
        await expect.poll(() => rowsOf(page, id)).toBeGreaterThan(20);
        const csv = await page.getAttribute(`#${id} a`, 'href');
        const answer = await page.request.get(new URL(csv as string, stand.url).href);
        expect(answer.headers()['content-type']).toContain('text/csv');
        expect((await answer.text()).split('\n').length).toBeGreaterThan(20);
      }
      const rows = await page.$$eval('#heat-table tbody tr', (all) =>
        all.map((row) => row.textContent ?? ''),
      );
      expect(rows.filter((row) => row.startsWith('store-0003'))[0]).toMatch(/^store-0003(19|20)/);
      expect(await page.locator('#fleet-table tr', { hasText: 'store-0005' }).textContent()).toContain(
        'silent',
      );
    });
  });

  test('the chart of all sites and of one site adds up to what the journal holds', async () => {
    await onPage(async (page) => {
      const soldToday = async (site: string) => {
        const { rows } = await stand.pool.query<{ gross: string }>(
          `select coalesce(sum(gross), 0) as gross from journal join site using (site_id)
           where at >= date_trunc('day', now(), $2) and ($1 = '' or name = $1)`,
          [site, afternoonZone],
        );
        const euros = Number(rows[0]?.gross) / 100;
        return new Intl.NumberFormat('en-GB', { style: 'currency', currency: 'EUR' }).format(euros);
      };
      await expect.poll(() => textOf(page, '#sales-total')).toContain(await soldToday(''));
      await page.fill('#sales-site', 'store-0011');
      await expect.poll(() => textOf(page, '#sales-total')).toContain(await soldToday('store-0011'));
      await page.selectOption('#sales-minutes', '60');
      await expect.poll(() => textOf(page, '#sales-total')).toContain(await soldToday('store-0011'));
      await page.locator('#sales-table').scrollIntoViewIfNeeded();
      await screenshot(page, 'sales-of-one-site');
      await page.selectOption('#sales-minutes', '');
      await page.fill('#fleet-filter', '0012');
      await page.locator('#fleet-grid [role=listbox]').focus();
      await eventuallyOpen(page, 'store-0012');
      await page.click('#site-sales');
      expect(await page.inputValue('#sales-site')).toBe('store-0012');
      await expect.poll(() => textOf(page, '#sales-total')).toContain(await soldToday('store-0012'));
    });
  });

  test('corrections, reconciliation, stock and quarantine show what the books hold', async () => {
    await onPage(async (page) => {
      await expect.poll(() => page.locator('#corrections-feed li').count()).toBe(100);
      const text = await textOf(page, '#corrections-feed li:first-child');
      // The books have them at 15 minutes past the hour in UTC.
      const [from, to] = [15, 20].map((minutes) => minutesIn(afternoonZone, minutes));
      const interval = `[A-Z][a-z]{2} \\d\\d:${from}–\\d\\d:${to}`;
      expect(text).toMatch(
        new RegExp(`^${interval} store-00\\d[16]: \\+1 unit, \\+€\\d+\\.\\d\\d, 1 h 30 min late$`),
      );

      const counts = await textOf(page, '#reconciliation-counts');
      expect(counts).toMatch(/^\d+ equal · \d+ differ · \d+ open$/);
      await page.selectOption('#reconciliation-state', 'open');
      const open = Number(/(\d+) open$/.exec(counts)?.[1]);
      await expect.poll(() => rowsOf(page, 'reconciliation-table')).toBe(open);

      await page.check('#stock-negative');
      await expect
        .poll(() => page.locator('#stock-table tbody tr:not(:has-text("negative"))').count())
        .toBe(0);
      const first = await textOf(page, '#stock-table tbody tr:first-child');
      await page.click('#stock-next');
      await expect.poll(() => textOf(page, '#stock-table tbody tr:first-child')).not.toBe(first);
      await page.click('#stock-first');
      await expect.poll(() => textOf(page, '#stock-table tbody tr:first-child')).toBe(first);

      await expect.poll(() => rowsOf(page, 'quarantine-table')).toBe(3);
      await page.click('#quarantine-table tr:has-text("101") >> nth=0 >> text=Dismiss');
      await expect.poll(() => rowsOf(page, 'quarantine-table')).toBe(2);
      const { rows } = await stand.pool.query("select state from quarantine where state <> 'held'");
      expect(rows).toEqual([{ state: 'dismissed' }]);
    });
  });

  test('what is unknown is shown as unknown, until a person says why it is not', async () => {
    await stand.pool.query(`
      insert into unknown_span (site_id, agent, reason, since, until, noticed_at)
      select site_id, null, 'before-first-agent', null, now() - interval '2 hours', now() from site where name = 'store-0001'
      union all
      select site_id, 'edge-1', 'database-replaced', now() - interval '90 minutes', now() - interval '60 minutes', now()
      from site where name = 'store-0002'`);
    await stand.pool.query(`
      update hub_state set said_at = now() + interval '1 hour', unreadable = '[{"topic": "branchline.pos.v1", "partition": 3,
        "since": 1764000000000, "reason": "cannot read offsets 10 to 19 of branchline.pos.v1, partition 3: the checksum does not match"}]'`);
    await onPage(async (page) => {
      await expect.poll(() => textOf(page, '#sales-total')).toMatch(/\d+ intervals? partly unknown$/);
      const partition = '#pipeline-unreadable';
      await expect.poll(() => textOf(page, partition)).toContain('branchline.pos.v1/3');
      expect(await textOf(page, partition)).toContain('the checksum does not match');
      expect(await textOf(page, '#pipeline-path')).toMatch(/\d+ unknown sites since \d\d:\d\d/);

      await page.locator('#heat-map [role=listbox]').focus();
      await page.keyboard.press('ArrowDown');
      // The interval of 70 minutes ago, on a map of five hours.
      await page.keyboard.press('End');
      for (let i = 0; i < 14; i++) await page.keyboard.press('ArrowLeft');
      await expect
        .poll(() => activeCell(page, '#heat-map'))
        .toMatch(/^store-0002, .+: unknown, .+ to .+: the agent's database is new/);
      await screenshot(page, 'unknown-completeness', true);
      await page.keyboard.press('Enter');
      await page.waitForSelector('#unknown-list form');
      expect(await textOf(page, '#unknown-list')).toContain('edge-1, ');
      await screenshot(page, 'unknown-site');
      expect(await seriousFindings(page)).toEqual([]);

      await page.fill('#unknown-list input', 'the tills were not in use then');
      await page.keyboard.press('Enter');
      await expect.poll(() => textOf(page, '#unknown-list')).toContain('the tills were not in use then');
      expect(await page.locator('#unknown-list form').count()).toBe(0);
      await screenshot(page, 'unknown-dismissed');
      await page.keyboard.press('Escape');
      await expect.poll(() => activeCell(page, '#heat-map')).toMatch(/^store-0002, .+: complete$/);
    });
    const { rows } = await stand.pool.query(
      "select dismissed_because from unknown_span where reason = 'database-replaced'",
    );
    expect(rows).toEqual([{ dismissed_because: 'the tills were not in use then' }]);
    await stand.pool.query("delete from unknown_span; update hub_state set unreadable = '[]'");
  });

  test('a count dated in the future is flagged beside its stock, and a person voids it there with a reason', async () => {
    await stand.pool.query(`
      insert into stock_count (site_id, event_id, location, at, full_location, business_day, suspect)
      select site_id, 'count-1', 'shop', now(), false, current_date, true from site where name = 'store-0001';
      update stock_merged set count_at = now(), count_key = 'count-1'
      where item_id = 1 and site_id = (select site_id from site where name = 'store-0001')`);
    await onPage(async (page) => {
      page.on('dialog', (dialog) => void dialog.accept('two shelves were left out'));
      await page.fill('#stock-site', 'store-0001');
      const counted = page.locator('#stock-table tr:has-text("time of count")');
      await expect.poll(() => counted.count()).toBe(1);
      await counted.locator('text=Void').click();
      await expect
        .poll(() => textOf(page, '#stock-text'))
        .toContain('Voiding the count count-1 at store-0001');
    });
    const { rows } = await stand.pool.query('select event_id, voided, reason from count_void');
    expect(rows).toEqual([{ event_id: 'count-1', voided: true, reason: 'two shelves were left out' }]);
  });

  test('a list that is read again keeps the focus on the same event', async () => {
    await onPage(async (page) => {
      const dismiss = page.locator('#quarantine-table button[aria-label^="Dismiss, number"]');
      const number = (await dismiss.last().getAttribute('data-key')) as string;
      await dismiss.last().focus();
      const before = await rowsOf(page, 'quarantine-table');
      await stand.pool.query(
        `insert into quarantine (topic, partition, off, source_id, first_seq, last_seq, reason, detail, raw)
         values ('branchline.pos.v1', 0, 99, 1, 102, 102, 'wrong-schema', 'data.at: not a time', '{}')`,
      );
      await expect.poll(() => rowsOf(page, 'quarantine-table')).toBe(before + 1);
      expect(await page.evaluate(() => (document.activeElement as HTMLElement).dataset.key)).toBe(number);
    });
  });

  test('a person can run the self-check and read each sum', async () => {
    await onPage(async (page) => {
      await page.click('#check-now');
      await expect
        .poll(() => textOf(page, '#check-text'))
        .toMatch(/^✓ Σ windows = Σ transactions, checked at \d\d:/);
      await page.click('#check-details summary');
      await expect.poll(() => rowsOf(page, 'check-table')).toBeGreaterThan(1);
    });
  });

  test('the page says when the hub is unavailable, and recovers by itself', async () => {
    const { page, close } = await openPage(browser, stand.url);
    await untilLive(page, stores);
    await stand.reports.component.kill('SIGKILL');
    await page.waitForSelector('#banner:not([hidden])');
    expect(await textOf(page, '#banner')).toMatch(/figures are out of date: last update \d\d:\d\d:\d\d/);
    await screenshot(page, 'hub-unavailable');
    await expect.poll(() => stand.reports.component.pid).toBe(undefined);
    await stand.reports.component.start();
    await page.waitForSelector('#banner', { state: 'hidden', timeout: 30_000 });
    await untilLive(page, stores);
    await close();
  });

  test('on a tablet everything fits, and controls are large enough for a finger', async () => {
    const tablet = { viewport: { width: 1024, height: 768 }, hasTouch: true };
    await onPage(async (page) => {
      await screenshot(page, 'tablet', true);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(wide).toBeLessThanOrEqual(0);
      const small = await page.$$eval(
        'button:not(.link), select, input:not([type=checkbox], [type=radio]), summary',
        (all) =>
          all
            .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
            .map((one) => one.id || one.textContent),
      );
      expect(small).toEqual([]);
      await page.touchscreen.tap(60, 0);
      const grid = page.locator('#fleet-grid [role=listbox]');
      await grid.tap({ position: { x: 20, y: 20 } });
      await page.waitForSelector('#site-panel[open]');
      await screenshot(page, 'tablet-site');
    }, tablet);
  });

  test('on a phone everything fits, and a sentence in a table does not take a line per word', async () => {
    await onPage(
      async (page) => {
        await screenshot(page, 'phone', true);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(wide).toBeLessThanOrEqual(0);
        const tallest = await page.$$eval('#reconciliation-table tbody tr', (rows) =>
          Math.max(...rows.map((row) => row.getBoundingClientRect().height)),
        );
        expect(tallest).toBeLessThan(120);
      },
      { viewport: { width: 360, height: 740 }, hasTouch: true },
    );
  });

  test('the page needs no file from elsewhere', () => {
    const html = readFileSync(new URL('../../hub/dashboard/index.html', import.meta.url), 'utf8');
    expect(html.match(/(src|href)="(?!\/|#)/g)).toBeNull();
  });
});
