import type { Log } from '@branchline/kernel/log.ts';
import { isAllowedHost, isOwnRequest } from '@branchline/kernel/loopback.ts';
import etag from '@fastify/etag';
import swagger from '@fastify/swagger';
import fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { failureOf } from '../../postgres/errors.ts';
import type { PageFile } from '../io/page-files.ts';
import type { LiveFeed } from '../live-feed.ts';
import { type Api, type Ports, prefix } from './api.ts';
import { correctionRoutes, eventRoutes, reconciliationRoutes } from './books-routes.ts';
import { countRoutes } from './count-routes.ts';
import { demoRoutes } from './demo-routes.ts';
import { gapRoutes } from './gap-routes.ts';
import { isJson, strictHeaders } from './guard.ts';
import { liveRoute } from './live-route.ts';
import { pageRoutes } from './page-routes.ts';
import { pipelineRoutes } from './pipeline-routes.ts';
import { ApiProblem, type ProblemCode, problemOf, problems, problemType } from './problem.ts';
import { quarantineRoutes } from './quarantine-routes.ts';
import { replayRoutes } from './replay-routes.ts';
import { salesRoutes } from './sales-routes.ts';
import { siteRoutes } from './site-routes.ts';
import { unknownRoutes } from './unknown-routes.ts';
import { voidRoutes } from './void-routes.ts';

/** HTTP of the reports role: checks of every request, headers of every answer, errors, and the routes. */
export type ServerOptions = {
  ports: Ports;
  feed: LiveFeed;
  files: ReadonlyMap<string, PageFile>;
  /** Host headers to accept besides loopback. */
  hosts: Parameters<typeof isAllowedHost>[1];
  log: Log;
};

const bodyBytesMax = 256 * 1024;
const requestMsMax = 30_000;

/**
 * Figures change at any time, and a cache cannot tell who may read them; the ETag saves a browser from loading the same bytes
 * again.
 */
const revalidated = 'private, no-cache';

const send = (reply: FastifyReply, code: ProblemCode, detail: string): FastifyReply => {
  const { status } = problems[code];
  if (status === 503) reply.header('retry-after', '5');
  return reply
    .code(status)
    .type(problemType)
    .header('cache-control', 'no-store')
    .send(JSON.stringify(problemOf(code, detail)));
};

const guard = (app: Api, hosts: ServerOptions['hosts']): void => {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(strictHeaders);
    const { host } = request.headers;
    if (!isAllowedHost(host, hosts)) throw new ApiProblem('wrong-host', `host ${String(host).slice(0, 64)}`);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    reply.header('cache-control', isRead ? revalidated : 'no-store');
    if (isRead) return;
    if (!isOwnRequest(request.headers))
      throw new ApiProblem('cross-site', 'judged by its Origin or Sec-Fetch-Site header');
    if (!isJson(request.headers['content-type']))
      throw new ApiProblem('json-only', `content-type ${request.headers['content-type'] ?? 'is absent'}`);
  });
  // An empty body counts as {}.
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') return done(null, {});
    parse(request, body as string, done);
  });
};

/** SQLSTATE query_canceled: the statement timeout cut the statement off. */
const queryCanceled = '57014';

/** SQLSTATEs of a date or text of the request that PostgreSQL cannot hold: year 0, NUL. */
const unstorable = new Set(['22007', '22008', '22021']);

const codeOf = (error: FastifyError): ProblemCode => {
  if (error.code === queryCanceled) return 'too-slow';
  if (failureOf(error) === 'connection') return 'books-unavailable';
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return 'body-too-large';
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return 'json-only';
  return (error.statusCode ?? 500) < 500 ? 'not-valid' : 'failed';
};

/** Names the parameter and the reason, never the value that was sent. */
const validationDetail = (error: FastifyError): string =>
  (error.validation ?? [])
    .map(({ instancePath, message }) => {
      const where = instancePath.replace(/^\//, '').replaceAll('/', '.');
      return `${error.validationContext ?? 'request'}${where === '' ? '' : ` ${where}`}: ${message ?? 'not valid'}`;
    })
    .join('; ');

const answerErrors = (app: Api, log: Log): void => {
  app.setNotFoundHandler((request, reply) =>
    send(reply, 'not-found', `${request.method} ${pathOf(request)}`),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof ApiProblem) return send(reply, error.code, error.message);
    if (hasZodFastifySchemaValidationErrors(error)) return send(reply, 'not-valid', validationDetail(error));
    if (unstorable.has(error.code)) return send(reply, 'not-valid', 'a value that the database cannot hold');
    const code = codeOf(error);
    if (problems[code].status < 500) return send(reply, code, error.message);
    // The database's message may name tables and values: it belongs in the log, not in the answer.
    log.error({ err: error, method: request.method, path: pathOf(request) }, 'a request failed');
    return send(reply, code, `${request.method} ${pathOf(request)}`);
  });
};

const pathOf = (request: FastifyRequest): string => (request.url.split('?', 1)[0] as string).slice(0, 200);

const describe = async (app: Api): Promise<void> => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Branchline reports',
        description:
          'Sales, stock and the state of the fleet, from the books. Money is an integer number of minor units of ' +
          "`currency`; quantities are decimal strings; instants are RFC 3339 in UTC; days are the sites' own business days. " +
          'No interval ever closes: every figure states how complete it is and how often it changed. ' +
          'Lists come in pages (`limit`, `cursor`) as JSON or CSV; answers carry an ETag; problems follow RFC 9457.',
        version: '1',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
    },
    transform: jsonSchemaTransform,
  });
};

export const createServer = async (options: ServerOptions): Promise<Api> => {
  const app: Api = fastify({
    logger: false,
    bodyLimit: bodyBytesMax,
    requestTimeout: requestMsMax,
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  guard(app, options.hosts);
  answerErrors(app, options.log);
  await app.register(etag, { weak: true });
  await describe(app);

  // The swagger plugin sees only routes registered after it.
  await app.register(async (scope) => {
    const api = scope.withTypeProvider<ZodTypeProvider>() as Api;
    const { ports } = options;
    salesRoutes(api, ports);
    siteRoutes(api, ports);
    countRoutes(api, ports);
    gapRoutes(api, ports);
    unknownRoutes(api, ports);
    pipelineRoutes(api, ports);
    correctionRoutes(api, ports);
    reconciliationRoutes(api, ports);
    voidRoutes(api, ports);
    eventRoutes(api, ports);
    quarantineRoutes(api, ports);
    replayRoutes(api, ports);
    demoRoutes(api, ports);
    liveRoute(api, options.feed);
    pageRoutes(api, options.files);
    api.get(`${prefix}/openapi.json`, { schema: { hide: true } }, async () => app.swagger());
  });
  await app.ready();
  return app;
};
