import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { environment, nodeFlags } from '@branchline/edge-agent/runtime-flags.ts';
import { type Component, createComponent } from '@branchline/local/component.ts';
import { checkout } from '@branchline/local/paths.ts';
import { answers, freePort } from '@branchline/local/probe.ts';
import { environmentOf } from '@branchline/local/service.ts';

/** An agent as in a branch: its own process, with the flags and the environment that keep it small. */
export type AgentProcess = {
  component: Component;
  url: string;
  status(): Promise<{
    accepted: number;
    recorded: number;
    applied: number;
    pending: number;
    linkUp: boolean;
  }>;
};

export const createAgentProcess = async (options: {
  site: string;
  folder: string;
  mqtt: string;
  account?: Record<string, string | undefined>;
  env?: Record<string, string>;
  /** The program of a bundle; defaults to the source in the checkout. */
  program?: string;
}): Promise<AgentProcess> => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const component = createComponent({
    name: `agent-${options.site}`,
    command: [process.execPath, ...nodeFlags, options.program ?? join(checkout, 'edge-agent/main.ts')],
    env: environmentOf(
      {
        site: options.site,
        dataDir: join(options.folder, options.site),
        mqtt: options.mqtt,
        intakePort: port,
        logLevel: 'warn',
        ...options.account,
      },
      { ...environment, ...options.env },
    ),
    logFile: join(options.folder, `${options.site}.log`),
    isReady: () => answers(port),
    readyWithinMs: 60_000,
  });
  return {
    component,
    url,
    status: async () => (await fetch(`${url}/v1/status`)).json() as ReturnType<AgentProcess['status']>,
  };
};

export type Poster = {
  post(body: string): Promise<{ status: number; ms: number; text: string }>;
  close(): void;
};

/** A till's connection: keep-alive, one request at a time. */
export const openPoster = (url: string, token?: string): Poster => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const target = new URL('/v1/events', url);
  return {
    post: (body) =>
      new Promise((resolve, reject) => {
        const startedAt = performance.now();
        const sent = request(
          target,
          {
            agent,
            method: 'POST',
            headers: {
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(body),
              ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('end', () =>
              resolve({
                status: response.statusCode ?? 0,
                ms: performance.now() - startedAt,
                text: Buffer.concat(chunks).toString(),
              }),
            );
          },
        );
        sent.on('error', reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
};

/** Fills an agent as fast as it accepts events, over four connections. */
export const fill = async (
  { url, token }: { url: string; token?: string },
  count: number,
  eventAt: (i: number) => object,
  onProgress: (accepted: number) => void,
  perRequest = 500,
): Promise<void> => {
  let next = 0;
  const till = async () => {
    const poster = openPoster(url, token);
    while (next < count) {
      const first = next;
      next += perRequest;
      const events = Array.from({ length: Math.min(perRequest, count - first) }, (_, i) =>
        eventAt(first + i),
      );
      const answer = await poster.post(JSON.stringify(events));
      if (answer.status !== 200 || answer.text.includes('"refused"'))
        throw new Error(`the agent answered ${answer.status}: ${answer.text.slice(0, 500)}`);
      onProgress(Math.min(next, count));
    }
    poster.close();
  };
  await Promise.all([till(), till(), till(), till()]);
};
