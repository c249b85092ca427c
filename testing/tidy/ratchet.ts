import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from './tree.ts';

/**
 * Known shortcomings, counted by name. A list may shrink but not grow: a new entry or a higher count fails, and an entry that
 * is gone fails until its line is deleted. `TIDY_SHRINK=1 npm test -- testing/tidy` deletes and lowers entries; nothing adds
 * or raises them.
 */
export type Counted = Readonly<Record<string, number>>;

export const changesOf = (known: Counted, found: Counted, hintOf = (_name: string) => ''): string[] => [
  ...Object.entries(found).flatMap(([name, count]) => {
    const before = known[name];
    if (before === undefined) return [`new: ${name} (${count})${hintOf(name)}`];
    return count > before ? [`more: ${name} (${count}, was ${before})`] : [];
  }),
  ...Object.keys(known)
    .filter((name) => found[name] === undefined)
    .map((name) => `gone, delete its line: ${name}`),
];

const shrunk = (known: Counted, found: Counted): Counted =>
  Object.fromEntries(
    Object.entries(known).flatMap(([name, before]) => {
      const count = found[name];
      return count === undefined ? [] : [[name, Math.min(before, count)]];
    }),
  );

/** Compares with a list in `testing/tidy/known/`. One line per change that fails. */
export const changesSince = (list: string, found: Counted, hintOf?: (name: string) => string): string[] => {
  const file = join(checkout, 'testing/tidy/known', list);
  const known = JSON.parse(readFileSync(file, 'utf8')) as Counted;
  if (process.env.TIDY_SHRINK === undefined) return changesOf(known, found, hintOf);
  const less = shrunk(known, found);
  writeFileSync(file, `${JSON.stringify(less, null, 2)}\n`);
  return changesOf(less, found, hintOf);
};
