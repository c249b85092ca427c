import { expect, test } from 'vitest';
import { siteNames } from './branches.ts';
import { wrongSites } from './current-run.ts';

const names = (stores: number) => siteNames(stores, 1).map(({ site }) => site);

test('sites that are there are not wrong, one or several', () => {
  expect(wrongSites(names(8), ['store-0007'])).toBeUndefined();
  expect(wrongSites(names(8), ['store-0001', 'warehouse-01'])).toBeUndefined();
});

test.each([
  ['store-7', 'store-0007'],
  ['store-007', 'store-0007'],
  ['Store-0003', 'store-0003'],
  ['warehouse-1', 'warehouse-01'],
])('%s is answered with the nearest site, %s', (typed, nearest) => {
  expect(wrongSites(names(8), [typed])).toContain(`There is no site ${typed}. Did you mean ${nearest}?`);
});

test('no site at all is answered with those that there are', () => {
  expect(wrongSites(['store-0001', 'warehouse-01'], [])).toBe('Name a site: store-0001, warehouse-01');
});

test('a long list of sites is cut', () => {
  expect(wrongSites(names(200), [])).toMatch(
    /, store-0012 and 189 more; npm run fleet -- status lists them$/,
  );
});
