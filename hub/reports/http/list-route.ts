import { z } from 'zod';
import { type Cell, csvText, flatten } from '../core/csv.ts';
import { cursorOf, type Key, keyOf } from '../core/cursor.ts';
import { type Api, prefix, problemResponses } from './api.ts';
import { ApiProblem } from './problem.ts';

/** Every list of the API: a page of rows as JSON with the cursor of the next page, or the same rows as CSV. */
export type Page<Row> = {
  rows: Row[];
  /** The sort key of the last row when more may follow. */
  next: Key | null;
  /** Further fields of the answer. */
  also?: object;
};

const paging = {
  limit: z.coerce.number().int().min(1).optional(),
  cursor: z.string().max(1_000).optional().describe('`next` of the previous page'),
  format: z.enum(['json', 'csv']).optional().describe('or by the Accept header'),
};

export type Paging<T extends readonly ('string' | 'number')[]> = {
  limit: number;
  after: { [I in keyof T]: T[I] extends 'string' ? string : number } | undefined;
};

const notShown = z
  .array(z.string())
  .optional()
  .describe(
    'rows of this page that hold a value which cannot be shown, each with the reason; absent when all are shown',
  );

const pageEnd = { next: z.string().nullable(), notShown };

type JsonSchema = {
  properties?: Record<string, JsonSchema>;
  anyOf?: JsonSchema[];
};

/** Columns from the row's schema, so that an empty table has a header too. */
const columnsOf = (schema: JsonSchema, before = ''): string[] =>
  Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
    const inner = field.anyOf?.find((one) => one.properties !== undefined) ?? field;
    return inner.properties === undefined ? [before + key] : columnsOf(inner, `${before}${key}.`);
  });

const wantsCsv = (format: string | undefined, accept: string | undefined): boolean =>
  format === undefined ? /\btext\/csv\b/.test(accept ?? '') : format === 'csv';

export const listRoute = <
  Q extends z.ZodRawShape,
  R extends z.ZodObject,
  const K extends readonly ('string' | 'number')[],
>(
  app: Api,
  url: string,
  about: {
    summary: string;
    query: Q;
    row: R;
    /** Types of the sort key's fields. */
    key: K;
    usual: number;
    most: number;
    /** Name of the rows in JSON, `rows` by default, and further fields beside them. */
    called?: string;
    also?: z.ZodRawShape;
  },
  read: (query: z.output<z.ZodObject<Q>>, paging: Paging<K>) => Promise<Page<z.output<R>>>,
): void => {
  const columns = columnsOf(z.toJSONSchema(about.row) as JsonSchema);
  const called = about.called ?? 'rows';
  const page = z.object({ ...about.also, [called]: z.array(about.row), ...pageEnd });
  const querystring = z.strictObject({
    ...about.query,
    ...paging,
    limit: paging.limit.describe(
      `rows per page: ${about.usual} by default (CSV ${about.most}), at most ${about.most}`,
    ),
  });
  app.get(
    `${prefix}${url}`,
    {
      schema: {
        summary: about.summary,
        querystring,
        response: {
          200: {
            description: 'A page of rows',
            content: { 'application/json': { schema: page }, 'text/csv': { schema: z.string() } },
          },
          ...problemResponses,
        },
      },
    },
    async (request, reply) => {
      const { limit, cursor, format, ...query } = request.query as z.output<z.ZodObject<typeof paging>>;
      const csv = wantsCsv(format, request.headers.accept);
      const after = cursor === undefined ? undefined : keyOf(cursor, url, about.key);
      if (cursor !== undefined && after === undefined) throw badCursor(url);
      const found = await read(query as unknown as z.output<z.ZodObject<Q>>, {
        limit: Math.min(about.most, limit ?? (csv ? about.most : about.usual)),
        after: after as Paging<K>['after'],
      }).catch((error) => {
        throw isForeign(error) && after !== undefined ? badCursor(url) : error;
      });
      const next = found.next === null ? null : cursorOf(url, found.next);
      if (next !== null) reply.header('link', `<${nextUrl(request.url, next)}>; rel="next"`);
      reply.header('vary', 'accept');
      if (!csv)
        return reply
          .type('application/json')
          .send({ ...found.also, ...showable(about.row, found.rows, called), next });
      reply.header('content-disposition', `attachment; filename="${url.slice(1).replaceAll('/', '-')}.csv"`);
      return reply.type('text/csv; charset=utf-8').send(csvOf(columns, found.rows));
    },
  );
};

/**
 * A value that the API cannot show, such as a sum beyond 2^53, never fails the rows around it: the row is left out and named.
 * Rows are checked here and again by the serialiser, which would refuse the whole page.
 */
const showable = <R extends z.ZodObject>(row: R, rows: readonly z.output<R>[], called: string) => {
  const shown: z.output<R>[] = [];
  const notShown: string[] = [];
  for (const [i, one] of rows.entries()) {
    const issue = row.safeParse(one).error?.issues[0];
    if (issue === undefined) shown.push(one);
    else notShown.push(`row ${i + 1} of this page: ${issue.path.join('.')}: ${issue.message}`);
  }
  return { [called]: shown, ...(notShown.length === 0 ? {} : { notShown }) };
};

const badCursor = (url: string): ApiProblem => new ApiProblem('bad-cursor', `cursor of ${url}`);

/** SQLSTATE class 22: PostgreSQL cannot read a value as the type of its column, such as a number beyond 32 bits. */
const isForeign = (error: unknown): boolean => /^22/.test((error as { code?: string }).code ?? '');

const nextUrl = (url: string, cursor: string): string => {
  const [path, query] = url.split('?', 2);
  const parameters = new URLSearchParams(query);
  parameters.set('cursor', cursor);
  return `${path}?${parameters}`;
};

const csvOf = (columns: string[], rows: readonly object[]): string =>
  csvText(
    columns,
    rows.map((row) => {
      const flat: Record<string, Cell> = flatten(row);
      return columns.map((column) => flat[column] ?? null);
    }),
  );

/** A full page may have a next one; `key` is the sort key of its last row. */
export const pageOf = <Found, Row>(
  found: readonly Found[],
  limit: number,
  key: (last: Found) => Key,
  row: (one: Found) => Row,
): Page<Row> => {
  const last = found.at(-1);
  return { rows: found.map(row), next: last === undefined || found.length < limit ? null : key(last) };
};
