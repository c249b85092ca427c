import type { Stream } from '@branchline/contracts/ids.ts';
import { limits } from '@branchline/contracts/limits.ts';

type Reported = { stream: Stream; highest: number; appliedTo: number };

/**
 * Which sources a status names, of all that the database still holds, oldest first. Always the newest of each stream
 * and, as many as fit, the oldest that have something left to do. With a `turn` also those that are wholly applied,
 * archive included: a hub restored from an older backup may never have heard of them. What does not fit has its turn
 * later.
 */
export const namedSources = <S extends Reported>(sources: readonly S[], turn: number | undefined): S[] => {
  const named = new Set<S>();
  for (const [i, source] of sources.entries())
    if (!sources.slice(i + 1).some((later) => later.stream === source.stream)) named.add(source);
  const others = sources.filter((source) => !named.has(source));
  const roomFor = () => limits.rangesPerMessageMax - named.size;
  for (const source of others.filter(isOpen).slice(0, roomFor())) named.add(source);
  const settled = others.filter((source) => !isOpen(source));
  const room = Math.min(roomFor(), settled.length);
  for (let i = 0; turn !== undefined && i < room; i++)
    named.add(settled[(turn * room + i) % settled.length] as S);
  return sources.filter((source) => named.has(source));
};

const isOpen = ({ appliedTo, highest }: Reported): boolean => appliedTo < highest;

/** One status in so many names the settled sources: once a minute with the default interval. */
export const settledEveryStatuses = 6;
