import { stateWords } from './fleet-order.ts';
import type { Change } from './page-state.ts';

/** `store-0007 is silent` for few sites, `12 sites are online, 3 sites are late` for many. */
export const wordsFor = (moved: Change['moved']): string => {
  const last = new Map(moved.map((move) => [move.site, move.to]));
  if (last.size <= 3) return [...last].map(([site, to]) => `${site} is ${stateWords[to]}`).join(', ');
  const counts = new Map<string, number>();
  for (const to of last.values()) counts.set(stateWords[to], (counts.get(stateWords[to]) ?? 0) + 1);
  return [...counts]
    .map(([words, many]) => `${many} ${many === 1 ? 'site is' : 'sites are'} ${words}`)
    .join(', ');
};
