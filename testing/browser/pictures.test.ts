import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '@branchline/local/paths.ts';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { afternoonZone, openChromium, openPage, untilLive } from './chromium.ts';
import { startPageStand } from './page-stand.ts';
import { palettePng } from './palette-png.ts';

/** The two pictures of the README. Only on request do they replace those: a run of the tests changes no tracked file. */
const folder = join(
  checkout,
  process.env.BRANCHLINE_PICTURES === '1' ? 'docs/pictures' : '.branchline/screenshots',
);
const stores = 100;
const bytesMax = 150_000;
/** Three quarters of 1920 by 1200: room for tiles, fleet and sales on 1440 by 900. */
const view = { viewport: { width: 1920, height: 1200 }, deviceScaleFactor: 0.75 };

/** Chromium decodes its own screenshot; what comes back are RGBA pixels. */
const pictureOf = async (page: Page): Promise<Buffer> => {
  const png = (await page.screenshot()).toString('base64');
  const blank = await page.context().newPage();
  const { pixels, width } = await blank.evaluate(async (data) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
    const pen = new OffscreenCanvas(image.width, image.height).getContext('2d');
    pen?.drawImage(image, 0, 0);
    const found = pen?.getImageData(0, 0, image.width, image.height).data ?? new Uint8ClampedArray();
    let text = '';
    for (let at = 0; at < found.length; at += 8_192)
      text += String.fromCharCode(...found.subarray(at, at + 8_192));
    return { pixels: text, width: image.width };
  }, png);
  await blank.close();
  return palettePng(Buffer.from(pixels, 'latin1'), width);
};

test('the pictures of the dashboard are small, and the page reports no problem while they are made', async () => {
  mkdirSync(folder, { recursive: true });
  const stand = await startPageStand(
    { stores, hours: 30, transactionsPerHour: 60, zone: afternoonZone, asInLife: true },
    // A store is silent after half an hour, so that one whose line was cut 50 minutes ago is.
    { BRANCHLINE_AGENT_STATUS_SECONDS: '600' },
  );
  const browser = await openChromium();
  try {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, problems, close } = await openPage(browser, stand.url, { ...view, colorScheme });
      await untilLive(page, stores);
      await page.waitForSelector('#sales-chart canvas');
      await page.click('#check-now');
      await page.waitForSelector('#check-text[data-equal=true]');
      await page.evaluate(() => (document.activeElement as HTMLElement).blur());
      await page.mouse.move(0, 0);
      await page.waitForTimeout(1_000);
      const picture = await pictureOf(page);
      expect(picture.length).toBeLessThan(bytesMax);
      writeFileSync(join(folder, `dashboard-${colorScheme}.png`), picture);
      expect(problems).toEqual([]);
      await close();
    }
  } finally {
    await browser.close();
    await stand.stop();
  }
});
