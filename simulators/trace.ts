import type { Random } from '@branchline/kernel/random.ts';

/** W3C Trace Context, level 1: the flag 01 asks for the trace to be recorded. */
const version = '00';
const sampled = '01';

const hex = (random: Random, digits: number): string => {
  let text = '';
  for (let i = 0; i < digits; i += 8)
    text += Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  return text;
};

/** An id of zeros only means "none", so the first digit is never zero. */
const id = (random: Random, digits: number): string => {
  const first = 1 + Math.floor(random() * 15);
  return first.toString(16) + hex(random, digits).slice(1);
};

/**
 * The `traceparent` of a new event, each with its own trace. It belongs to the event: a repeated event keeps it, because
 * equal ids must have equal content.
 */
export const newTraceparent = (random: Random): string =>
  `${version}-${id(random, 32)}-${id(random, 16)}-${sampled}`;
