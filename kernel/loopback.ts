import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Whether only programs on this machine can reach the address of a setting or a socket. A list of addresses, not a
 * pattern: `127.evil.com` is a name that anyone may point anywhere. IPv4 in IPv6 (`::ffff:127.0.0.1`), which sockets
 * report where they listen on both, counts as the IPv4 address.
 */
export const isLoopback = (host: string): boolean => {
  const version = isIP(host);
  if (version === 0) return host === 'localhost';
  return loopback.check(host, version === 6 ? 'ipv6' : 'ipv4');
};
