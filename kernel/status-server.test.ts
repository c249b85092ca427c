import { request } from 'node:http';
import { expect, test } from 'vitest';
import { serveStatus } from './status-server.ts';

const statusOf = (url: string, host: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    const sent = request(`${url}/v1/status`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end();
  });

test.each([
  ['127.0.0.1', 'localhost:7811', 200],
  ['127.0.0.1', '127.0.0.1:7811', 200],
  ['127.0.0.1', 'evil.example', 403],
  ['0.0.0.0', 'bridge.monitoring.example', 200],
])('a status page on %s that is addressed as %s answers %i', async (host, name, status) => {
  const server = await serveStatus({ host, port: 0 }, () => ({ ready: true }));
  expect(await statusOf(server.url.replace('0.0.0.0', '127.0.0.1'), name)).toBe(status);
  await server.close();
});
