import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isLoopback, isLoopbackHost } from './loopback.ts';
import { expose, type Family, metricsContentType } from './metrics.ts';

/** Short, so that idle connections leave room for others. A scrape takes milliseconds. */
const bounds = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16 * 1024,
};
const connectionsMax = 256;

/**
 * A minimal HTTP server for services without one of their own: `/healthz` for probes, `/v1/status` for people and tools,
 * `/metrics` for Prometheus. It listens on loopback by default. It has no secrets and no sign-in, so any other address
 * belongs behind a firewall.
 */
export const serveStatus = async (
  { host = '127.0.0.1', port }: { host?: string; port: number },
  status: () => object | Promise<object>,
  metrics: () => Family[] | Promise<Family[]> = () => [],
): Promise<{ url: string; close(): Promise<void> }> => {
  const answer = (response: ServerResponse, code: number, body: object) => {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(body)}\n`);
  };
  const pages: Record<string, (response: ServerResponse) => Promise<void>> = {
    '/healthz': async (response) => answer(response, 200, { ok: true }),
    '/v1/status': async (response) => answer(response, 200, await status()),
    '/metrics': async (response) => {
      const text = expose(await metrics());
      response.writeHead(200, { 'content-type': metricsContentType });
      response.end(text);
    },
  };
  // A page in a browser on this machine may reach it under a foreign name that resolves to 127.0.0.1 (DNS rebinding).
  const isForeign = (name: string | undefined) =>
    isLoopback(host) && name !== undefined && !isLoopbackHost(name);
  const server = createServer(bounds, (request, response) => {
    if (isForeign(request.headers.host)) return answer(response, 403, { error: 'foreign-host' });
    if (request.method !== 'GET') return answer(response, 405, { error: 'method' });
    const page = pages[request.url ?? ''];
    if (page === undefined) return answer(response, 404, { error: 'not-found' });
    page(response).catch((error: unknown) => answer(response, 503, { error: String(error) }));
  });
  server.maxConnections = connectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
