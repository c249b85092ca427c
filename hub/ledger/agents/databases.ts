/**
 * Whether an agent still has the database that it had. Between the last status of a database that is gone and the first of
 * the one in its place, nobody knows what was accepted: a new database says that everything in it has arrived, not what
 * the old one held. Times are milliseconds since 1970 on Kafka's clock.
 */
export type KnownDatabase = {
  /** Undefined for an agent that names none. */
  id: string | undefined;
  session: string;
  heardAt: number;
  /** Up to when a status accounts for every accepted event; null when no status has. */
  saidTo: number | null;
  /** What its last status named. */
  sources: ReadonlySet<string>;
  /** The highest seq that was ever reported of each. */
  highest: ReadonlyMap<string, number>;
  /** Set when a person retired the agent after its last status. */
  isRetired: boolean;
};

export type HeardDatabase = {
  id: string | undefined;
  session: string;
  heardAt: number;
  accountsTo: number | null;
  uptimeMs: number;
  /** The first status of a connection names every epoch that the agent keeps. */
  isBirth: boolean;
  highest: ReadonlyMap<string, number>;
};

export type LostDatabase = {
  id: string | undefined;
  reason: 'database-replaced' | 'database-restored';
  /** Null when nothing is known of any time before. */
  since: number | null;
  until: number;
};

/** What one status says. `firstAt`: the agent is new, and has accepted events since then. */
export type Noticed = { firstAt?: number; lost?: LostDatabase; isBack?: boolean };

/** A restored backup lacks seqs that were reported before it was restored. In one session that is a status out of order. */
const wentBack = (known: KnownDatabase, heard: HeardDatabase): boolean =>
  [...heard.highest].some(([source, highest]) => highest < (known.highest.get(source) ?? 0));

/** Agents that name no database name every epoch that they keep, at the latest when they connect. */
const namesNothingKnown = (known: KnownDatabase, heard: HeardDatabase): boolean =>
  heard.isBirth && known.sources.size > 0 && ![...heard.highest.keys()].some((one) => known.sources.has(one));

const reasonOf = (known: KnownDatabase, heard: HeardDatabase): LostDatabase['reason'] | undefined => {
  const areNamed = known.id !== undefined && heard.id !== undefined;
  // Also within a session: a damaged database is put aside while the agent runs.
  if (areNamed && known.id !== heard.id) return 'database-replaced';
  if (heard.session === known.session) return undefined;
  if (!areNamed && namesNothingKnown(known, heard)) return 'database-replaced';
  return wentBack(known, heard) ? 'database-restored' : undefined;
};

export const noticeDatabase = (known: KnownDatabase | undefined, heard: HeardDatabase): Noticed => {
  // It has accepted events since its session began, at the latest; the delay of the status only makes this later.
  const since = heard.heardAt - heard.uptimeMs;
  if (known === undefined) return { firstAt: since };
  if (heard.heardAt < known.heardAt) return {};
  const reason = reasonOf(known, heard);
  if (reason === undefined) return known.isRetired ? { isBack: true } : {};
  // Where the session began before, it is not the session but a database in it that is new; or two devices use one name.
  const until = since > known.heardAt ? since : heard.heardAt;
  return {
    lost: {
      id: known.id,
      reason,
      since: known.saidTo === null ? null : Math.min(known.saidTo, until),
      until,
    },
    // It may be a database that was lost before.
    isBack: reason === 'database-replaced',
  };
};

export const databaseAfter = (known: KnownDatabase | undefined, heard: HeardDatabase): KnownDatabase => {
  if (known !== undefined && heard.heardAt < known.heardAt) return known;
  const highest = new Map(known?.highest);
  for (const [source, one] of heard.highest) highest.set(source, Math.max(one, highest.get(source) ?? 0));
  return {
    id: heard.id ?? (known?.session === heard.session ? known.id : undefined),
    session: heard.session,
    heardAt: heard.heardAt,
    saidTo: heard.accountsTo ?? known?.saidTo ?? null,
    sources: new Set(heard.highest.keys()),
    highest,
    isRetired: false,
  };
};
