import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { delayLine } from './wan-delay.ts';

/**
 * The network between the sites and the broker: one listener per site, which forwards to the broker. Taking a site offline
 * resets all its connections, and every new one until it is online again.
 */
export type LinkState = { online: boolean /** Each way. */; delayMs: number };
export type Link = LinkState & {
  site: string;
  port: number;
  connections: number;
  bytesUp: number;
  bytesDown: number;
};

export type Wan = {
  links(): Link[];
  link(site: string): Link | undefined;
  /** False for a site that has no link. */
  set(site: string, change: Partial<LinkState>): boolean;
  close(): Promise<void>;
};

type OpenLink = { link: Link; server: Server; pairs: Set<readonly [Socket, Socket]> };

const openLink = async (
  { site, port }: { site: string; port: number },
  broker: { host: string; port: number },
): Promise<OpenLink> => {
  const link: Link = { site, port, online: true, delayMs: 0, connections: 0, bytesUp: 0, bytesDown: 0 };
  const pairs: OpenLink['pairs'] = new Set();

  // Half-open on both sides, so that the end of a direction is delayed like its bytes.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (branch) => {
    branch.on('error', () => {});
    if (!link.online) return branch.resetAndDestroy();
    const hub = connect({ ...broker, allowHalfOpen: true, noDelay: true });
    hub.on('error', () => {});
    const pair = [branch, hub] as const;
    pairs.add(pair);
    link.connections = pairs.size;
    // An orderly end is delayed; a broken connection breaks the other one at once.
    const closed = (other: Socket) => (broken: boolean) => {
      if (broken) other.destroy();
      if (!branch.closed || !hub.closed) return;
      pairs.delete(pair);
      link.connections = pairs.size;
    };
    branch.on('close', closed(hub));
    hub.on('close', closed(branch));
    branch.on('data', (chunk) => {
      link.bytesUp += chunk.length;
    });
    hub.on('data', (chunk) => {
      link.bytesDown += chunk.length;
    });
    delayLine(branch, hub, { delayMs: () => link.delayMs });
    delayLine(hub, branch, { delayMs: () => link.delayMs });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  link.port = (server.address() as AddressInfo).port;
  return { link, server, pairs };
};

const cut = ({ pairs }: OpenLink) => {
  for (const [branch, hub] of pairs) {
    branch.resetAndDestroy();
    hub.resetAndDestroy();
  }
};

/** Port 0 takes a free one; `links()` returns it. */
export const openWan = async (
  sites: readonly { site: string; port: number }[],
  broker: { host: string; port: number },
): Promise<Wan> => {
  const open = new Map<string, OpenLink>();
  for (const site of sites) open.set(site.site, await openLink(site, broker));
  return {
    links: () => [...open.values()].map(({ link }) => ({ ...link })),
    link: (site) => {
      const found = open.get(site)?.link;
      return found === undefined ? undefined : { ...found };
    },
    set: (site, change) => {
      const found = open.get(site);
      if (found === undefined) return false;
      Object.assign(found.link, change);
      if (!found.link.online) cut(found);
      return true;
    },
    close: async () => {
      for (const one of open.values()) {
        const closed = once(one.server, 'close');
        one.server.close();
        cut(one);
        await closed;
      }
    },
  };
};
