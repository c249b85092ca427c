import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Checked on every request: the block list would create an object outside the heap for each address. */
const usual = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1', 'localhost']);

/**
 * Whether only programs on this machine can reach the address of a setting or a socket. A list of addresses, not a
 * pattern: `127.evil.com` is a name that anyone may point anywhere. IPv4 in IPv6 (`::ffff:127.0.0.1`), which sockets
 * report where they listen on both, counts as the IPv4 address.
 */
export const isLoopback = (host: string): boolean => {
  if (usual.has(host)) return true;
  const version = isIP(host);
  return version !== 0 && loopback.check(host, version === 6 ? 'ipv6' : 'ipv4');
};

/** The name in a Host header, without the port; IPv6 without its brackets. */
const nameOf = (host: string): string =>
  host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();

/** A foreign name that resolves to 127.0.0.1 (DNS rebinding) shows in the Host header. */
export const isLoopbackHost = (host: string | undefined): boolean => isLoopback(nameOf(host ?? ''));

/**
 * A browser may use a listed name. A foreign page cannot make an IP address point here, so `anyAddress` accepts all of them
 * where other machines may connect at all.
 */
export const isAllowedHost = (
  host: string | undefined,
  { names, anyAddress }: { names: readonly string[]; anyAddress: boolean },
): boolean => {
  const name = nameOf(host ?? '');
  return isLoopback(name) || names.includes(name) || (anyAddress && isIP(name) !== 0);
};

/**
 * Whether a request that changes something comes from our own page or from a program. Pages can neither omit nor forge these
 * two headers; programs send neither.
 */
export const isOwnRequest = (headers: {
  host?: string | undefined;
  origin?: string | undefined;
  'sec-fetch-site'?: string | string[] | undefined;
}): boolean => {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  const { origin, host } = headers;
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
};
