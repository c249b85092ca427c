import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { siteName } from '@branchline/contracts/ids.ts';
import { loadConfigOrExit } from '@branchline/kernel/config.ts';
import { runUntilStopped } from '@branchline/kernel/lifecycle.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { logLevel, portNumber } from '@branchline/kernel/settings.ts';
import { z } from 'zod';
import { openWan, type Wan } from './wan.ts';

const config = loadConfigOrExit(
  `Simulates the network between sites and broker; each site's link can be cut or delayed.

Usage: node simulators/wan-main.ts --broker-port 1883 --links '[{"site":"store-0001","port":18831}]'

  GET  /v1/links           the links of all sites
  POST /v1/links/SITE      {"online": false} or {"delayMs": 100}, as application/json`,
  z.object({
    brokerHost: z.string().default('127.0.0.1').describe('host of the broker'),
    brokerPort: portNumber.describe('port of the broker'),
    links: z.array(z.object({ site: siteName, port: portNumber })).describe('JSON array of {"site","port"}'),
    statusPort: portNumber.default(7841).describe('port of /v1/links, /healthz and /v1/status, on loopback'),
    logLevel: logLevel.describe('least severe level that is logged'),
  }),
);
const log = createLog('wan', config.logLevel);

const change = z.strictObject({
  online: z.boolean().optional(),
  delayMs: z.number().min(0).max(60_000).optional(),
});

const readBody = async (request: IncomingMessage): Promise<unknown> => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > 4_096) throw new Error('body too large');
  }
  return JSON.parse(text);
};

type Answer = { code: number; body: object };

const handle = async (wan: Wan, request: IncomingMessage): Promise<Answer> => {
  const { method, url = '/' } = request;
  if (method === 'GET') {
    if (url === '/healthz') return { code: 200, body: { ok: true } };
    if (url === '/v1/links' || url === '/v1/status') return { code: 200, body: { links: wan.links() } };
    return { code: 404, body: { error: 'not-found' } };
  }
  const site = /^\/v1\/links\/([a-z0-9-]+)$/.exec(url)?.[1];
  if (method !== 'POST' || site === undefined) return { code: 404, body: { error: 'not-found' } };
  // A web page may post text to a loopback address without a preflight request, but not JSON.
  if (request.headers['content-type'] !== 'application/json')
    return { code: 415, body: { error: 'send application/json' } };
  const wanted = change.safeParse(await readBody(request).catch((error: unknown) => String(error)));
  if (!wanted.success) return { code: 400, body: { error: z.prettifyError(wanted.error) } };
  const { online, delayMs } = wanted.data;
  const known = wan.set(site, {
    ...(online === undefined ? {} : { online }),
    ...(delayMs === undefined ? {} : { delayMs }),
  });
  if (!known) return { code: 404, body: { error: `no link to ${site}` } };
  log.info({ site, ...wanted.data }, 'link changed');
  return { code: 200, body: wan.link(site) ?? {} };
};

await runUntilStopped(
  async () => {
    const wan = await openWan(config.links, { host: config.brokerHost, port: config.brokerPort });
    const server = createServer((request, response) => {
      void handle(wan, request)
        .catch((error: unknown): Answer => ({ code: 500, body: { error: String(error) } }))
        .then(({ code, body }) => {
          response.writeHead(code, { 'content-type': 'application/json' });
          response.end(`${JSON.stringify(body)}\n`);
        });
    });
    server.listen(config.statusPort, '127.0.0.1');
    await once(server, 'listening');
    log.info({ sites: config.links.length }, 'started');
    return {
      stop: async (reason) => {
        server.close();
        server.closeAllConnections();
        await wan.close();
        log.info({ reason }, 'stopped');
      },
    };
  },
  { log, graceMs: 5_000 },
);
