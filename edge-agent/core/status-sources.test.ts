import type { Stream } from '@branchline/contracts/ids.ts';
import { limits } from '@branchline/contracts/limits.ts';
import { expect, it } from 'vitest';
import { firstUnrecorded } from './status.ts';
import { namedSources } from './status-sources.ts';

const source = (epoch: number, stream: Stream, appliedTo = 10) => ({ epoch, stream, highest: 10, appliedTo });
const epochs = (sources: { epoch: number }[]) => sources.map(({ epoch }) => epoch);

it('a status names the newest of each stream and what is not applied; with a page also the archive', () => {
  const sources = [source(1, 'pos'), source(2, 'stock'), source(3, 'pos', 4), source(4, 'pos')];
  expect(epochs(namedSources(sources, undefined))).toEqual([2, 3, 4]);
  expect(epochs(namedSources(sources, 0))).toEqual([1, 2, 3, 4]);
});

it('a status never exceeds its limit, names the newest and the oldest open sources first, and pages cover all', () => {
  const open = Array.from({ length: 40 }, (_, i) => source(i, 'pos', 0));
  const settled = Array.from({ length: 100 }, (_, i) => source(100 + i, 'pos'));
  const sources = [...open, ...settled, source(1_000, 'pos'), source(1_001, 'stock')];
  const seen = new Set<number>();
  for (let page = 0; page < 5; page++) {
    const named = epochs(namedSources(sources, page));
    expect(named).toHaveLength(limits.rangesPerMessageMax);
    expect(named.slice(0, 40)).toEqual(epochs(open));
    expect(named.slice(-2)).toEqual([1_000, 1_001]);
    for (const epoch of named) seen.add(epoch);
  }
  expect(seen.size).toBe(sources.length);
});

it('an agent without events names nothing', () => {
  expect(namedSources([], 0)).toEqual([]);
});

it('a status of 2,000 epochs costs ten times one of 200, and asks the store for no more', () => {
  const readsFor = (epochs: number) => {
    const sources = Array.from({ length: epochs }, (_, i) => ({
      stream: i % 2 === 0 ? ('pos' as const) : ('stock' as const),
      epoch: `epoch-${i}`,
      highest: 10,
      recordedTo: 0,
      appliedTo: 0,
      pending: 10,
      heldBack: 0,
    }));
    let reads = 0;
    const counted = new Proxy(sources, {
      get: (target, key) => {
        reads++;
        return Reflect.get(target, key);
      },
    });
    namedSources(counted, 0);
    expect(firstUnrecorded(counted)).toHaveLength(limits.rangesPerMessageMax);
    return reads;
  };
  expect(readsFor(2_000) / readsFor(200)).toBeLessThan(11);
});
