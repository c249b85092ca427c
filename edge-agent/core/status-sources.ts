import type { Stream } from '@branchline/contracts/ids.ts';
import { limits } from '@branchline/contracts/limits.ts';

type Reported = { stream: Stream; highest: number; appliedTo: number };

/**
 * Selects the sources that a status names from all that the database holds, oldest first: always the newest of each
 * stream, then as many of the oldest unapplied ones as fit. With a `page`, also those that are wholly applied, archive
 * included, because a hub restored from an older backup may never have heard of them. Successive pages cover them all.
 */
export const namedSources = <S extends Reported>(sources: readonly S[], page: number | undefined): S[] => {
  const newest = new Map(sources.map((source) => [source.stream, source]));
  const named = new Set<S>(newest.values());
  const others = sources.filter((source) => !named.has(source));
  const roomFor = () => limits.rangesPerMessageMax - named.size;
  for (const source of others.filter(isOpen).slice(0, roomFor())) named.add(source);
  const settled = others.filter((source) => !isOpen(source));
  const room = Math.min(roomFor(), settled.length);
  for (let i = 0; page !== undefined && i < room; i++)
    named.add(settled[(page * room + i) % settled.length] as S);
  return sources.filter((source) => named.has(source));
};

const isOpen = ({ appliedTo, highest }: Reported): boolean => appliedTo < highest;

/** Every nth status names applied sources: once a minute at the default interval. */
export const settledEveryStatuses = 6;
