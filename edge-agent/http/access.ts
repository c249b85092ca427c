import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Problem, problem } from '@branchline/contracts/errors.ts';
import { isLoopback, isLoopbackHost, isOwnRequest } from '@branchline/kernel/loopback.ts';

/** Who may send events, and who may read what the agent says of itself. */

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Compares digests: they have equal lengths, and the first differing byte tells nothing about the token. */
const tokenCheck = (token: string | undefined) => {
  if (token === undefined) return () => false;
  const expected = digest(`Bearer ${token}`);
  // The scheme is case-insensitive (RFC 9110 § 11.1).
  return (header: string | undefined) =>
    timingSafeEqual(digest((header ?? '').replace(/^bearer /i, 'Bearer ')), expected);
};

/** Why a request is refused; undefined if it is allowed. */
export const createAccess = (token: string | undefined) => {
  const hasToken = tokenCheck(token);
  const tokenMissing = problem('unauthorised', 'no token or a wrong one');

  /**
   * Other machines cannot reach an intake without a token, but a browser on this machine can be made to: by a page that posts
   * to it, or by a foreign name that resolves to 127.0.0.1 (DNS rebinding).
   */
  const fromHere = ({ socket, headers }: IncomingMessage): Problem | undefined => {
    if (!isLoopback(socket.remoteAddress ?? '')) return tokenMissing;
    if (headers.host !== undefined && !isLoopbackHost(headers.host))
      return problem('foreign-request', `addressed to ${headers.host.slice(0, 64)}`, 'host');
    return undefined;
  };
  const byProgram = ({ headers }: IncomingMessage): Problem | undefined =>
    isOwnRequest(headers) ? undefined : problem('foreign-request', 'sent by a web page', 'origin');

  return {
    toEvents: (request: IncomingMessage): Problem | undefined => {
      if (token === undefined) return fromHere(request) ?? byProgram(request);
      return hasToken(request.headers.authorization) ? undefined : tokenMissing;
    },
    /** Sales figures are confidential: other machines need the token, as they do for events. */
    toPages: (request: IncomingMessage): Problem | undefined =>
      hasToken(request.headers.authorization) ? undefined : fromHere(request),
  };
};
