import type { PageFile } from '../io/page-files.ts';
import type { Api } from './api.ts';

/** The dashboard's files. A browser caches and revalidates them; they change only with the hub's version. */
export const pageRoutes = (app: Api, files: ReadonlyMap<string, PageFile>): void => {
  for (const [path, file] of files)
    app.get(path, { schema: { hide: true } }, async (_, reply) =>
      reply.type(file.type).header('etag', file.etag).header('cache-control', 'no-cache').send(file.body),
    );
};
