import { hasCheckDigit } from '@branchline/contracts/event.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import { expect, it } from 'vitest';
import { assortment, popularArticle, taxRates } from './assortment.ts';

it('every article has a unique number, a price, a known tax code and, unless it is weighed, a valid GTIN', () => {
  expect(new Set(assortment.map(({ itemId }) => itemId)).size).toBe(assortment.length);
  for (const article of assortment) {
    expect(article.price).toBeGreaterThan(0);
    expect(taxRates.has(article.taxCode)).toBe(true);
    expect(article.gtin === undefined).toBe(article.weighed);
    if (article.gtin !== undefined) expect(article.gtin).toMatch(/^0952\d{10}$/);
    if (article.gtin !== undefined) expect(hasCheckDigit(article.gtin)).toBe(true);
  }
});

it('the first tenth of the articles is drawn about two times in five, and every article at least once', () => {
  const random = seededRandom(5);
  const drawn = Array.from({ length: 20_000 }, () => assortment.indexOf(popularArticle(random)));
  const popular = drawn.filter((index) => index < assortment.length / 10).length;
  expect(popular / drawn.length).toBeGreaterThan(0.35);
  expect(popular / drawn.length).toBeLessThan(0.45);
  expect(new Set(drawn).size).toBe(assortment.length);
});
