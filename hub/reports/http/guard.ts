import { isLoopback } from '@branchline/kernel/loopback.ts';

/**
 * A browser on the same machine lets every page it shows send requests to loopback. While there is no sign-in, these
 * rules keep such pages out: only our own page, and programs other than browsers, may change anything.
 */

/** On every answer. `frame-ancestors` and `form-action` do not fall back to `default-src`, so they are named. */
export const strictHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
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
 * Whether a request that changes something comes from our page or from a program. Pages can neither omit nor forge these
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

export const isJson = (contentType: string | undefined): boolean =>
  /^application\/json\s*(;|$)/i.test(contentType ?? '');
