/**
 * Detects that an agent has lost its database. What was accepted between the last status of a lost database and the first of
 * its successor is unknown: a new database says that everything in it has arrived, not what the old one held. Times are
 * milliseconds since 1970 on Kafka's clock.
 */
export type KnownDatabase = {
  /** Undefined for an agent that names none. */
  id: string | undefined;
  session: string;
  heardAt: number;
  /** The time up to which a status accounts for every accepted event; null if no status has. */
  saidTo: number | null;
  /** The sources that its last status named. */
  sources: ReadonlySet<string>;
  /** The highest seq ever reported for each source. */
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
  /** Null if nothing is known about any earlier time. */
  since: number | null;
  until: number;
};

/**
 * What one status reveals. `firstAt`: the agent is new, and has accepted events since then. `back`: the database that is heard
 * from again, under the id with which it was lost or its agent retired.
 */
export type Noticed = { firstAt?: number; lost?: LostDatabase; back?: Pick<KnownDatabase, 'id'> };

/** A restored backup lacks seqs reported earlier. Within one session this is a status out of order. */
const wentBack = (known: KnownDatabase, heard: HeardDatabase): boolean =>
  [...heard.highest].some(([source, highest]) => highest < (known.highest.get(source) ?? 0));

/** Agents that name no database name every epoch they keep, at the latest when they connect. */
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
  // It has accepted events since its session began, at the latest; the delay of the status only makes this time later.
  const since = heard.heardAt - heard.uptimeMs;
  if (known === undefined) return { firstAt: since };
  if (heard.heardAt < known.heardAt) return {};
  const reason = reasonOf(known, heard);
  // Under the id it had when the agent was retired: since then an update may have given it an id.
  if (reason === undefined) return known.isRetired ? { back: { id: known.id } } : {};
  // If the session began earlier, only the database in it is new, or two devices use one name.
  const until = since > known.heardAt ? since : heard.heardAt;
  return {
    lost: {
      id: known.id,
      reason,
      since: known.saidTo === null ? null : Math.min(known.saidTo, until),
      until,
    },
    // It may be a database that was lost earlier.
    ...(reason === 'database-replaced' ? { back: { id: heard.id } } : {}),
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
