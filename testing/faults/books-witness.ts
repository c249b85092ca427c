import type { Stack } from '@branchline/local/stack.ts';
import pg from 'pg';

/**
 * Checks what totals cannot show. A trigger sees every change of a position, so that nothing is missed between two queries,
 * and quarantine is counted by the position in the log from which its bytes came.
 */
export type Witness = {
  /** How often a position in the log moved back. */
  movedBack: number;
  /** Rows of quarantine for a record of the log that has a row already. */
  keptTwice: number;
  kept: number;
};

const withClient = async <T>(stack: Stack, work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: stack.postgres.ownerUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

export const placeWitness = (stack: Stack): Promise<void> =>
  withClient(stack, async (client) => {
    await client.query(`
      create table moved_back (topic text, partition int4, from_offset int8, to_offset int8);
      create function note_moved_back() returns trigger language plpgsql security definer as $$
      begin
        insert into public.moved_back values (old.topic, old.partition, old.next_offset, new.next_offset);
        return null;
      end $$;
      create trigger moved_back after update on ingest_offset for each row
        when (new.next_offset < old.next_offset) execute function note_moved_back()`);
  });

export const askWitness = (stack: Stack): Promise<Witness> =>
  withClient(stack, async (client) => {
    const { rows } = await client.query<Witness>(`
      select (select count(*)::int from moved_back) as "movedBack",
        count(*)::int as kept, (count(*) - count(distinct (topic, partition, off)))::int as "keptTwice"
      from quarantine`);
    return rows[0] as Witness;
  });
