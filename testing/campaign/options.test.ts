import { expect, test } from 'vitest';
import { type CampaignOptions, parseOptions, repeatCommand, usage } from './options.ts';

test('the command that a report prints deals the same campaign again', () => {
  const args = [
    '--minutes',
    '1.5',
    '--seed',
    '7',
    '--only',
    'poison,hub-killed',
    '--rate',
    '40',
    '--without',
    'sync',
    '--patience',
    '20',
  ];
  const options = parseOptions(args, 1) as CampaignOptions;
  const [, printed = ''] = repeatCommand(options).split(' -- ');
  expect(parseOptions(printed.split(' '), 99)).toEqual(options);
});

test.each([
  [['--minutes', '0'], '--minutes 0: a number above 0, at most 10080'],
  [['--minutes', 'ten'], '--minutes ten: a number above 0'],
  [['--seed', '1.5'], '--seed 1.5: a whole number from 0'],
  [['--only', 'poison,rain'], '--only rain: no such kind of fault'],
  [['--without', 'care'], '--without care: nothing or sync'],
  [['--minutse', '3'], "Unknown option '--minutse'"],
])('the campaign refuses %j and says why', (args, message) => {
  expect(() => parseOptions(args, 1)).toThrow(message);
});

test('help names every kind of fault, and what decides whether one has passed', () => {
  for (const word of ['agent-killed', 'books-restored', 'kafka-line-half-open', '--patience', '--seed'])
    expect(usage()).toContain(word);
  expect(parseOptions(['--help'], 1)).toBeUndefined();
});
