import { expect, it } from 'vitest';
import { type ConnectionState, spareConnection, untrustedPerAddressMax } from './spare-connection.ts';

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
  expect(spareConnection([till('t1'), connection('old'), ...flood, connection('new')], 4)?.name).toBe(
    'first',
  );
});

it('among addresses with one untrusted connection each the oldest goes', () => {
  expect(spareConnection([till('t1'), connection('old'), connection('new')], 2)?.name).toBe('old');
});

it('a newcomer among tills takes the place of the till that has been idle longest', () => {
  const tills = [
    till('t1', { lastUse: 7 }),
    till('t2', { lastUse: 3 }),
    till('t3', { lastUse: 1, inHand: 1 }),
  ];
  expect(spareConnection([...tills, connection('new')], 3)?.name).toBe('t2');
});

it('when every till is at work the newcomer goes', () => {
  expect(spareConnection([till('t1', { inHand: 1 }), connection('new')], 1)?.name).toBe('new');
});

it('all stay while there is room', () => {
  expect(spareConnection([till('t1'), connection('old'), connection('new')], 3)).toBeUndefined();
});

const fromOne = (address: string) =>
  Array.from({ length: untrustedPerAddressMax + 1 }, (_, i) => connection(`c${i}`, { address }));

it('one address has few untrusted connections, however many there may be in all', () => {
  expect(spareConnection([till('t1'), ...fromOne('10.0.0.9')], 128)?.name).toBe('c0');
  expect(spareConnection([...fromOne('10.0.0.9').slice(1), connection('new')], 128)).toBeUndefined();
});

it('programs on this machine share an address and are not counted', () => {
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
    expect(spareConnection(fromOne(address), 128)).toBeUndefined();
});
