import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The small HTTP side of a service that has no other: `/healthz` for probes, `/v1/status` for people and tools. Loopback
 * unless told otherwise.
 */
export const serveStatus = async (
  { host = '127.0.0.1', port }: { host?: string; port: number },
  status: () => object | Promise<object>,
): Promise<{ url: string; close(): Promise<void> }> => {
  const server = createServer((request, response) => {
    const answer = (code: number, body: object) => {
      response.writeHead(code, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify(body)}\n`);
    };
    if (request.method !== 'GET') return answer(405, { error: 'method' });
    if (request.url === '/healthz') return answer(200, { ok: true });
    if (request.url !== '/v1/status') return answer(404, { error: 'not-found' });
    Promise.resolve(status()).then(
      (body) => answer(200, body),
      (error: unknown) => answer(503, { error: String(error) }),
    );
  });
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
