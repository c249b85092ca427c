import { expect, test } from 'vitest';
import { sourceFault } from './event.ts';

const site = { storeId: 'store-0001', gln: '4012345000009' };

test.each([
  ['site:store-0001:ws:till-1', 'till-1', true],
  ['site:store-0001:ws:till-2', 'till-1', false],
  ['site:store-0001:wh:till-1', 'till-1', false],
  ['site:store-0002:ws:till-1', 'till-1', false],
  ['gln:4012345000009:ws:till-1', 'till-1', true],
  ['gln:4012345000016:ws:till-1', 'till-1', false],
  ['site:store-0001:wh:scanner-9', undefined, true],
  ['site:store-0002:wh:scanner-9', undefined, false],
])('the source %s fits the data of %s: %s', (source, workstationId, fits) => {
  const data = workstationId === undefined ? { site } : { site, workstationId };
  expect(sourceFault(`urn:x-retail:${source}`, data) === undefined).toBe(fits);
});

test('a source with a GLN fits data without one', () => {
  const data = { site: { storeId: 'store-0001' }, workstationId: 'till-1' };
  expect(sourceFault('urn:x-retail:gln:4012345000009:ws:till-1', data)).toBeUndefined();
});
