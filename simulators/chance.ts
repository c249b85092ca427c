import type { Random } from '@branchline/kernel/random.ts';

/** Draws from a seeded generator. Each function draws a fixed number of times, so that a seed can be traced. */

/** A whole number from `low` to `high`, both inclusive. */
export const between = (random: Random, low: number, high: number): number =>
  low + Math.floor(random() * (high - low + 1));

export const chance = (random: Random, share: number): boolean => random() < share;

export const oneOf = <T>(random: Random, choices: readonly T[]): T =>
  choices[Math.floor(random() * choices.length)] as T;

/** One of the choices, in proportion to their weights. */
export const weighted = <T extends string>(
  random: Random,
  weights: readonly (readonly [choice: T, weight: number])[],
): T => {
  let left = random() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [choice, weight] of weights) {
    left -= weight;
    if (left < 0) return choice;
  }
  return (weights.at(-1) as readonly [T, number])[0];
};
