import { createAccepted, type Fact } from './accepted.ts';
import { openBooks } from './books.ts';

/**
 * The independent witness: it remembers what every till was answered and checks it directly in PostgreSQL, past every part of
 * Branchline. What it has seen in the books is not checked again until the books themselves go back.
 */
const askedAtOnce = 4_000;

export const createWitness = (postgresUrl: string, intervalMs: number) => {
  const accepted = createAccepted(intervalMs);
  const books = openBooks(postgresUrl);
  /** In order of acceptance. */
  const unseen = new Map<string, Fact>();
  /** Per site, when its newest event in the books was accepted. */
  const newest = new Map<string, number>();

  return {
    accepted,
    books,
    note: (event: Parameters<typeof accepted.note>[0]): void => {
      const now = performance.now();
      accepted.note(event, now);
      const key = `${event.data.site.storeId} ${event.id}`;
      unseen.set(key, accepted.facts.get(key) as Fact);
    },
    /** Checks what has not been seen yet, oldest first. False if PostgreSQL does not answer. */
    poll: async (): Promise<boolean> => {
      const asked = [...unseen].slice(0, askedAtOnce);
      const found = await books.which(asked.map(([, fact]) => fact)).catch(() => undefined);
      if (found === undefined) return false;
      for (const key of found) {
        const fact = unseen.get(key);
        if (fact === undefined) continue;
        unseen.delete(key);
        newest.set(fact.site, Math.max(newest.get(fact.site) ?? 0, fact.acceptedAt));
      }
      return true;
    },
    /** What the books held may be gone. */
    forget: (): void => {
      unseen.clear();
      for (const [key, fact] of accepted.facts) unseen.set(key, fact);
      newest.clear();
    },
    unseen: () => unseen.size,
    /** Events accepted before `at` that are not in the books. */
    missingBefore: (at: number): Fact[] => [...unseen.values()].filter(({ acceptedAt }) => acceptedAt <= at),
    /** Sites with nothing in the books that was accepted after `at`. */
    silentSince: (sites: readonly string[], at: number): string[] =>
      sites.filter((site) => (newest.get(site) ?? 0) <= at),
    close: () => books.close(),
  };
};
export type Witness = ReturnType<typeof createWitness>;
