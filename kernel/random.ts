/** Randomness as a port: a number in [0, 1). */
export type Random = () => number;

export const systemRandom: Random = () => Math.random();

/**
 * A seeded generator for simulations and tests: the same seed gives the same numbers on every machine.
 * Source: sfc32 by Chris Doty-Humphrey (public domain, PractRand), seeded through splitmix32.
 */
export const seededRandom = (seed: number): Random => {
  let s = seed >>> 0;
  const next32 = () => {
    s = (s + 0x9e3779b9) >>> 0;
    let z = s;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let a = next32();
  let b = next32();
  let c = next32();
  let counter = 1;
  return () => {
    const t = (((a + b) >>> 0) + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = ((c << 21) | (c >>> 11)) >>> 0;
    c = (c + t) >>> 0;
    return t / 0x1_0000_0000;
  };
};
