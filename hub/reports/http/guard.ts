/**
 * A browser on the same machine lets every page it shows send requests to loopback. While there is no sign-in, these rules and
 * those of `kernel/loopback.ts` keep such pages out: only our own page, and programs other than browsers, may change anything.
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

export const isJson = (contentType: string | undefined): boolean =>
  /^application\/json\s*(;|$)/i.test(contentType ?? '');
