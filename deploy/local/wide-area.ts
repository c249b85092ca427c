import { freePort } from './probe.ts';
import { createService, type Service } from './service.ts';

/** The simulated network as a component: each site's address of the broker, and its line. */
export type WideArea = Service & {
  mqttOf(site: string): string;
  /** Disconnects or reconnects a site, or sets the delay of its line. */
  set(site: string, change: { online?: boolean; delayMs?: number }): Promise<void>;
};

export const setLink = async (
  url: string,
  site: string,
  change: { online?: boolean; delayMs?: number },
): Promise<void> => {
  const response = await fetch(`${url}/v1/links/${site}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(change),
    signal: AbortSignal.timeout(5_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${site}: ${text.trim()}`);
};

export const createWideArea = async ({
  brokerUrl,
  sites,
  logDir,
}: {
  brokerUrl: string;
  sites: readonly string[];
  logDir: string;
}): Promise<WideArea> => {
  const broker = new URL(brokerUrl);
  const links: { site: string; port: number }[] = [];
  for (const site of sites) links.push({ site, port: await freePort() });
  const statusPort = await freePort();
  const service = createService({
    name: 'wan',
    script: 'simulators/wan-main.ts',
    settings: {
      brokerHost: broker.hostname,
      brokerPort: broker.port === '' ? 1883 : broker.port,
      links: JSON.stringify(links),
      statusPort,
    },
    port: statusPort,
    logDir,
  });
  return {
    ...service,
    mqttOf: (site) => {
      const link = links.find((one) => one.site === site);
      if (link === undefined) throw new Error(`the simulated network has no link to ${site}`);
      return `mqtt://127.0.0.1:${link.port}`;
    },
    set: (site, change) => setLink(service.url, site, change),
  };
};
