import pg from 'pg';

/** Why this URL cannot even be tried: it is malformed, or names a certificate file that cannot be read. */
export const connectionProblems = ({ postgres }: { postgres: string }): string[] => {
  try {
    new pg.Client({ connectionString: postgres });
    return [];
  } catch (error) {
    return [
      `postgres (--postgres, BRANCHLINE_POSTGRES) cannot be used: ${(error as Error).message}. ` +
        'Special characters of a password must be percent-encoded.',
    ];
  }
};
