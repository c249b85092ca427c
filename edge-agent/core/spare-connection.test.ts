import { expect, it } from 'vitest';
import { type ConnectionState, spareConnection } from './spare-connection.ts';

const connection = (name: string, state: Partial<ConnectionState> = {}) => ({
  name,
  address: name,
  isTrusted: false,
  inHand: 0,
  lastUse: 0,
  ...state,
});
const till = (name: string, state: Partial<ConnectionState> = {}) =>
  connection(name, { isTrusted: true, ...state });

it('the oldest of the address with most untrusted connections goes, not the one that came last', () => {
  const flood = ['first', 'second'].map((name) => connection(name, { address: '10.0.0.9' }));
  expect(spareConnection([till('t1'), connection('old'), ...flood, connection('new')])?.name).toBe('first');
});

it('among addresses with one untrusted connection each the oldest goes', () => {
  expect(spareConnection([till('t1'), connection('old'), connection('new')])?.name).toBe('old');
});

it('a newcomer among tills takes the place of the till that has been idle longest', () => {
  const tills = [
    till('t1', { lastUse: 7 }),
    till('t2', { lastUse: 3 }),
    till('t3', { lastUse: 1, inHand: 1 }),
  ];
  expect(spareConnection([...tills, connection('new')])?.name).toBe('t2');
});

it('when every till is at work there is none to spare', () => {
  expect(spareConnection([till('t1', { inHand: 1 }), connection('new')])).toBeUndefined();
});
