import { describe, expect, test } from 'vitest';
import { byLabel, counter, expose, gauge, Histogram, summary } from './metrics.ts';

describe('the text of a scrape', () => {
  test('has help, type and one line per sample', () => {
    const text = expose([
      counter('sales_total', 'Sales.', byLabel('stream', { pos: 12, stock: 3 })),
      gauge('lag_seconds', 'Age of the oldest.', 0.5),
    ]);
    expect(text).toBe(
      [
        '# HELP sales_total Sales.',
        '# TYPE sales_total counter',
        'sales_total{stream="pos"} 12',
        'sales_total{stream="stock"} 3',
        '# HELP lag_seconds Age of the oldest.',
        '# TYPE lag_seconds gauge',
        'lag_seconds 0.5',
        '',
      ].join('\n'),
    );
  });

  test('labels a quantile with its rank', () => {
    const text = expose([
      summary('age_seconds', 'Ages.', [
        [0.5, 2],
        [1, 9],
      ]),
    ]);
    expect(text).toContain(
      '# TYPE age_seconds summary\nage_seconds{quantile="0.5"} 2\nage_seconds{quantile="1"} 9\n',
    );
  });

  test('escapes what would end a line or a label', () => {
    const text = expose([gauge('x', 'a\\b\nc "d"', [{ labels: { of: 'a"b\\c\nd' }, value: 1 }])]);
    expect(text).toContain('# HELP x a\\\\b\\nc "d"\n');
    expect(text).toContain('x{of="a\\"b\\\\c\\nd"} 1\n');
  });

  test('writes NaN and infinities as Prometheus reads them', () => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e21];
    const text = expose([
      gauge(
        'x',
        'X.',
        values.map((value, i) => ({ labels: { i: String(i) }, value })),
      ),
    ]);
    expect(text.match(/(?<=} ).+/g)).toEqual(['NaN', '+Inf', '-Inf', '1e+21']);
  });

  test.each([
    [[gauge('a b', '', 1)], 'not a metric name'],
    [[counter('sales', '', 1)], 'end in _total'],
    [[gauge('sales_total', '', 1)], 'end in _total'],
    [[gauge('x', '', [{ labels: { 'a-b': '' }, value: 1 }])], 'not a label name'],
    [[gauge('x', '', 1), gauge('x', '', 2)], 'duplicate'],
  ])('%# is not written, because Prometheus would reject it', (families, why) => {
    expect(() => expose(families)).toThrow(why);
  });
});

test('a histogram counts each value in every bucket that it fits, and sums the values', () => {
  const histogram = new Histogram([0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 3]) histogram.observe(value);
  expect(
    expose([histogram.family('write_seconds', 'Writes.')])
      .split('\n')
      .slice(2),
  ).toEqual([
    'write_seconds_bucket{le="0.1"} 2',
    'write_seconds_bucket{le="1"} 3',
    'write_seconds_bucket{le="+Inf"} 4',
    'write_seconds_sum 3.65',
    'write_seconds_count 4',
    '',
  ]);
});
