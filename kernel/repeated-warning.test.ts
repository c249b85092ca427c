import { expect, test } from 'vitest';
import { createRepeatedWarning } from './repeated-warning.ts';

test('what lasts is said at once and then every five minutes', () => {
  let now = 0;
  const said: string[] = [];
  const warn = createRepeatedWarning<string>({ monotonic: () => now }, (what) =>
    said.push(`${what} at ${now / 60_000}`),
  );
  for (; now <= 12 * 60_000; now += 60_000) warn(now === 60_000 ? undefined : 'full');
  expect(said).toEqual(['full at 0', 'full at 5', 'full at 10']);
});
