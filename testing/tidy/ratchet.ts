import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from './tree.ts';

/**
 * What is not yet as it should be, counted by name. It may shrink and may not grow: what is new or more than it was fails, and
 * what is gone fails as well until its line is deleted. `TIDY_SHRINK=1 npm test -- testing/tidy` deletes and lowers; nothing
 * raises.
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

/** Compares with the list in `testing/tidy/known/`; one line per change, none when all is as it was or has shrunk. */
export const changesSince = (list: string, found: Counted, hintOf?: (name: string) => string): string[] => {
  const file = join(checkout, 'testing/tidy/known', list);
  const known = JSON.parse(readFileSync(file, 'utf8')) as Counted;
  if (process.env.TIDY_SHRINK === undefined) return changesOf(known, found, hintOf);
  const less = shrunk(known, found);
  writeFileSync(file, `${JSON.stringify(less, null, 2)}\n`);
  return changesOf(less, found, hintOf);
};
