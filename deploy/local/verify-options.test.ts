import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { readArguments, verifyHelp } from './verify-options.ts';

it('the folder alone is enough, and is resolved from the current directory', () => {
  expect(readArguments(['--data', 'some/folder'])).toEqual({
    data: resolve('some/folder'),
    sites: 4,
    speed: 'max',
    broker: 'aedes',
    keep: false,
    json: undefined,
  });
});

it('every option is understood', () => {
  const argv = '--data d --sites 8 --speed 3600× --broker mosquitto --keep --json out.json'.split(' ');
  expect(readArguments(argv)).toEqual({
    data: resolve('d'),
    sites: 8,
    speed: 3600,
    broker: 'mosquitto',
    keep: true,
    json: resolve('out.json'),
  });
});

it.each([
  ['', '--data FOLDER is missing'],
  ['--data d --sites 0', '--sites 0: not a whole number from 1 to 32'],
  ['--data d --sites 2.5', '--sites 2.5: not a whole number from 1 to 32'],
  ['--data d --speed fast', '--speed fast: neither max nor a factor such as 3600'],
  ['--data d --broker emqx', '--broker emqx: neither aedes nor mosquitto'],
])('%j is answered with what is wrong', (argv, wrong) => {
  expect(readArguments(argv === '' ? [] : argv.split(' '))).toEqual({ wrong });
});

it('an unknown option is an error, and help names every known one', () => {
  expect(readArguments(['--dat', 'd'])).toMatchObject({ wrong: expect.stringContaining('--dat') });
  expect(readArguments(['--help'])).toBe('help');
  for (const option of ['data', 'sites', 'speed', 'broker', 'keep', 'json', 'help'])
    expect(verifyHelp).toContain(`  --${option}`);
});
