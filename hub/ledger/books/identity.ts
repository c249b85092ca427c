/**
 * K1: an id that was remembered names something else in the database, or nothing: the database is not the one that gave
 * it, because it was restored or promoted. Whoever meets this forgets all ids and tries again.
 */
export class StaleIds extends Error {
  constructor(what: string) {
    super(`the database has other ids than this process remembers: ${what}`);
    this.name = 'StaleIds';
  }
}
