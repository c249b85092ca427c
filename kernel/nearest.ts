/** The number of letters to insert, remove or change to turn one word into the other (Levenshtein). */
const distance = (one: string, other: string): number => {
  let before = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const changed = (before[j - 1] as number) + (one[i - 1] === other[j - 1] ? 0 : 1);
      row.push(Math.min(changed, (before[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    before = row;
  }
  return before[other.length] as number;
};

/** The known name that was probably meant; undefined if none is close. */
export const nearest = (name: string, known: readonly string[]): string | undefined => {
  const closest = known
    .map((candidate) => ({ candidate, letters: distance(name, candidate) }))
    .sort((a, b) => a.letters - b.letters)[0];
  return closest !== undefined && closest.letters <= 3 ? closest.candidate : undefined;
};
