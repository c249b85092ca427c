import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fiscalLosses } from './json-losses.ts';
import { parseAtIntake } from './parse.ts';
import { itemTypes, movementSigns } from './rules.ts';
import { isScaleLabel, itemOnLabel, readScaleLabels, type ScaleLabel } from './scale-label.ts';

/** `docs/events.md` against the code. */

const page = readFileSync(new URL('../docs/events.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([^\`]+)\`\`\``, 'g'))].map(([, text]) => text as string);
const line = (lineNumber: number, extendedAmount: number) => ({
  ...{ lineNumber, lineType: 'SALE', item: { itemId: 'bread' }, quantity: '1', extendedAmount },
});
const transaction = (data: object) => ({
  ...{ specversion: '1.0', id: 'till-1:2026-11-23:42', time: '2026-11-23T10:15:00+01:00' },
  source: 'urn:x-retail:site:store-0001:ws:till-1',
  type: 'org.branchline.pos.transaction.completed.v1',
  data: {
    ...{ site: { storeId: 'store-0001' }, workstationId: 'till-1', businessDay: '2026-11-23' },
    ...{ sequenceNumber: 42, endAt: '2026-11-23T10:15:00+01:00', currency: 'CHF' },
    ...{ lines: [line(1, 1997)], tenders: [{ tenderType: 'CASH', amount: 1997 }], totals: { gross: 1997 } },
    ...data,
  },
});

test('its examples are accepted', () => {
  const [rounding, coupon, fiscal] = blocks('json') as [string, string, string];
  const events = [
    transaction(JSON.parse(`{${rounding}}`)),
    transaction({ lines: [line(1, 2197), JSON.parse(coupon)] }),
    transaction(JSON.parse(`{${fiscal}}`)),
  ];
  for (const event of events) expect(parseAtIntake(event)).toMatchObject({ id: event.id });
  const text = `{"data":{${fiscal}}}`;
  expect(fiscalLosses(text, [JSON.parse(text)])[0]).toBeUndefined();
});

test('its complete events are accepted as they stand, and its void matches the sale in the README', () => {
  const events = blocks('json')
    .filter((text) => text.includes('specversion'))
    .map((text) => JSON.parse(text));
  expect(events.map((event) => (parseAtIntake(event) as { id: string }).id)).toEqual([
    ...['till-1:2026-11-23:43:void', 'till-1:2026-11-23:z:1', 'delivery-7', 'count-7'],
  ]);
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const sale = JSON.parse(/-d '(\{[^']+\})'/.exec(readme)?.[1] as string);
  expect(parseAtIntake(sale)).toMatchObject({ id: 'till-1:2026-11-23:42' });
  expect(events[0].data.references[0]).toMatchObject({ sequenceNumber: sale.data.sequenceNumber });
  expect(events[0].data.totals.gross).toBe(-sale.data.totals.gross);
});

test('it names every reason of a movement, with its sign', () => {
  const [, up = '', down = '', either = ''] =
    /the quantities: (.+?) are not negative, (.+?)are not positive, (.+?) is either/s.exec(page) ?? [];
  const signs = [up, down, either].flatMap((names, i) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name]) => [name, [1, -1, 0][i]]),
  );
  expect(Object.fromEntries(signs)).toEqual(movementSigns);
});

test('its scale label is the item that it names', () => {
  const labels = readScaleLabels((blocks('')[0] as string).trim()) as ScaleLabel[];
  expect(itemOnLabel('02071234005008', labels)).toBe('71234');
  for (const prefix of ['002', '020', '029']) expect(isScaleLabel(prefix.padEnd(14, '0'))).toBe(true);
  expect(page).toContain('`2071234005008` is the item `71234`');
});

test('it lists every type of line with its sign and whether it counts as sales', () => {
  const signs = new Map([
    [1, 'not negative'],
    [-1, 'not positive'],
    [0, 'either'],
  ]);
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| .+ \| (.+) \| (yes|no)[^|]*\|$/gm)];
  expect(rows.map(([, type, sign, isSales]) => [type, sign, isSales === 'yes'])).toEqual(
    Object.entries(itemTypes).map(([type, rule]) => [type, signs.get(rule.amountSign), rule.isSales]),
  );
});
