import { expect, test } from 'vitest';
import { readReplay, replayHelp } from './replay-options.ts';

const epoch = '0189d1de-4b1b-7c3e-9c4a-2f1d3b5a7c9e';
const now = new Date(2026, 10, 23, 12, 0, 0);
const read = (text: string) => readReplay(text.split(' '), (site) => site.startsWith('warehouse'), now);

test('a time range is asked for in UTC, whatever offset it was written in', () => {
  expect(read('store-0007 --from 2026-11-22T08:00:00+01:00 --to 2026-11-22T20:00:00Z')).toEqual({
    site: 'store-0007',
    agent: 'edge-1',
    stream: 'pos',
    accepted: ['2026-11-22T07:00:00.000Z', '2026-11-22T20:00:00.000Z'],
  });
});

test('a time of day is one of today, on the clock of this machine', () => {
  expect(read('store-0007 --from 9:15 --to 10:30')).toMatchObject({
    accepted: [new Date(2026, 10, 23, 9, 15).toISOString(), new Date(2026, 10, 23, 10, 30).toISOString()],
  });
});

test('seqs belong to an epoch, and a warehouse is asked for stock', () => {
  expect(read(`warehouse-01 --seqs ${epoch}:1-500 --agent edge-2`)).toEqual({
    site: 'warehouse-01',
    agent: 'edge-2',
    stream: 'stock',
    epoch,
    seqs: [1, 500],
  });
});

test.each([
  ['--from 10:00 --to 11:00', 'Name one site'],
  ['a b --from 10:00 --to 11:00', 'Name one site'],
  ['store-0007', 'either --from and --to, or --seqs'],
  [`store-0007 --from 10:00 --to 11:00 --seqs ${epoch}:1-2`, 'either --from and --to, or --seqs'],
  ['store-0007 --from 10:00', 'Both --from and --to'],
  ['store-0007 --from 2026-02-30T10:00:00Z --to 11:00', 'Both --from and --to'],
  ['store-0007 --from 11:00 --to 10:00', 'is after'],
  ['store-0007 --from 22:00 --to 23:00', 'is in the future'],
  ['store-0007 --seqs 1-500', 'not EPOCH:FIRST-LAST'],
  [`store-0007 --seqs ${epoch}:9-8`, 'not EPOCH:FIRST-LAST'],
  [`store-0007 --seqs ${epoch}:0-8`, 'not EPOCH:FIRST-LAST'],
  ['store-0007 --stream x --from 10:00 --to 11:00', 'neither pos nor stock'],
  ['store-0007 --speed 3', '--speed'],
])('%s is an error that says what is wrong', (text, why) => {
  expect(read(text)).toEqual({ wrong: expect.stringContaining(why) });
});

test('the help names every option, every exit code and an example', () => {
  for (const named of [
    '--from',
    '--to',
    '--seqs',
    '--stream',
    '--agent',
    '--help',
    '  0  ',
    '  1  ',
    '  2  ',
  ])
    expect(replayHelp).toContain(named);
  expect(replayHelp).toContain('npm run replay -- store-0007 --from 10:15 --to 10:30');
});
