import { expect, it, test } from 'vitest';
import { agentConfig } from './config.ts';

const faultsOf = (settings: object): string[] => {
  const { error } = agentConfig.safeParse({
    ...{ site: 'store-0001', dataDir: '/data', mqtt: 'mqtt://broker' },
    ...settings,
  });
  return error?.issues.map(({ path }) => path.join('.')) ?? [];
};

test.each(['statusIntervalMs', 'receiptTimeoutMs', 'receiptSilenceMs', 'backoffCapMs'])(
  'bad input B29: a %s of 25 days is refused, because timers would run at once',
  (key) => {
    expect(faultsOf({ [key]: 25 * 86_400_000 })).toEqual([key]);
    expect(faultsOf({ [key]: 3_600_000 })).toEqual([]);
  },
);

test.each(['two-lines-of-\na-token-file', 'a-token-with-ünicode', ' a-token-after-a-blank', 'too-short'])(
  'bad input B29: the token %j, which no till could send, is refused',
  (intakeToken) => {
    expect(faultsOf({ intakeToken })).toEqual(['intakeToken']);
  },
);

it('takes any token of printable ASCII', () => {
  expect(faultsOf({ intakeToken: 'abc DEF 0123456789 -._~+/=!' })).toEqual([]);
});
