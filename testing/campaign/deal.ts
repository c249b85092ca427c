import type { Random } from '@branchline/kernel/random.ts';

/**
 * The order of the faults. Kinds are dealt like cards: each comes once before any comes again, so that in an hour every kind
 * strikes about equally often. Sometimes a second fault strikes during the first, elsewhere on the path.
 */
export type Card = {
  name: string;
  /** What it breaks: two simultaneous faults must not touch the same thing. */
  touches: string;
  /** Strikes alone, because it breaks the whole path. */
  isAlone?: boolean;
};

export type Dealt<C extends Card> = {
  first: C;
  second: C | undefined;
  /** Undisturbed time before the fault. */
  quietMs: number;
  /** Seeds for each fault's own random choices. */
  seeds: [number, number];
};

const quietMsMin = 1_000;
const quietMsMax = 5_000;
/** The share of faults that come in pairs. */
const pairs = 0.25;

const shuffled = <T>(cards: readonly T[], random: Random): T[] => {
  const deck = [...cards];
  for (let i = deck.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [deck[i], deck[j]] = [deck[j] as T, deck[i] as T];
  }
  return deck;
};

const seedFrom = (random: Random): number => Math.floor(random() * 0x1_0000_0000);

export const createDealer = <C extends Card>(cards: readonly C[], random: Random): (() => Dealt<C>) => {
  let deck: C[] = [];
  return () => {
    if (deck.length === 0) deck = shuffled(cards, random);
    const first = deck.shift() as C;
    // Drawn every time, so that the rest of the order does not depend on whether a partner is found.
    const wantsPair = random() < pairs;
    const at = deck.findIndex(
      (card) => card.isAlone !== true && first.isAlone !== true && card.touches !== first.touches,
    );
    const second = wantsPair && at >= 0 ? deck.splice(at, 1)[0] : undefined;
    return {
      first,
      second,
      quietMs: quietMsMin + random() * (quietMsMax - quietMsMin),
      seeds: [seedFrom(random), seedFrom(random)],
    };
  };
};
