import type { ProblemDetails } from '../contract.ts';

/**
 * The closed list of the report API's problems, as RFC 9457 problem details. A list of its own: contracts/errors.ts says
 * what can be wrong with an event. `hint` is for the person who reads it.
 */
export const problems = {
  'not-valid': {
    status: 400,
    title: 'The request is not valid',
    hint: 'GET /api/v1/openapi.json describes every parameter.',
  },
  'bad-cursor': {
    status: 400,
    title: 'The cursor does not belong to this list',
    hint: 'Use `next` of the previous page with the same parameters; omit it for the first page.',
  },
  'cross-site': {
    status: 403,
    title: 'The request comes from another site',
    hint: 'Only the dashboard itself and programs may change anything, not other pages.',
  },
  'unknown-site': {
    status: 404,
    title: 'There is no such site',
    hint: 'A site is known once its first event or status arrives; GET /api/v1/sites lists all.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing here',
    hint: 'GET /api/v1/openapi.json lists all addresses.',
  },
  'no-demo': {
    status: 404,
    title: 'There is no simulated network',
    hint: 'Lines can be cut only where the setting demoNetwork names the simulated network.',
  },
  'not-held': {
    status: 409,
    title: 'The event is no longer held',
    hint: 'Somebody settled it meanwhile, or the ledger applied it; read it again.',
  },
  'already-void': {
    status: 409,
    title: 'The count is void already',
    hint: 'GET /api/v1/counts says why. To make it count again, restore it.',
  },
  'not-void': {
    status: 409,
    title: 'The count is not void',
    hint: 'GET /api/v1/counts?voided=true lists those that are.',
  },
  'still-named': {
    status: 409,
    title: 'The agent still lists this source, so its events may still arrive',
    hint: 'Request a replay. If the agent is gone for good, retire the agent first.',
  },
  'no-gap': {
    status: 409,
    title: 'This source has no gap',
    hint: 'GET /api/v1/sites/{site}/gaps lists what is missing.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    hint: 'No request needs so much: a calendar has at most 1,000 days, a reason 500 characters.',
  },
  'json-only': {
    status: 415,
    title: 'The body is not JSON',
    hint: 'Send content-type application/json; the body may be {}.',
  },
  'wrong-host': {
    status: 421,
    title: 'The Host header names another host',
    hint: 'Open the dashboard as localhost, or list the name in the setting allowedHosts. Other names are refused, because a foreign name may resolve to this machine.',
  },
  failed: {
    status: 500,
    title: 'The hub failed to answer',
    hint: "The hub's log has the details. The books were not changed.",
  },
  'network-unavailable': {
    status: 502,
    title: 'The simulated network does not answer',
    hint: 'Check that its process is running.',
  },
  'books-unavailable': {
    status: 503,
    title: 'PostgreSQL does not answer',
    hint: 'The hub recovers by itself once PostgreSQL is back.',
  },
  'too-slow': {
    status: 503,
    title: 'The query took too long and was cancelled',
    hint: 'Request fewer days or sites at a time.',
  },
  'too-many-streams': {
    status: 503,
    title: 'Too many live streams are open',
    hint: 'Close some pages; each open page holds one stream.',
  },
} as const;

export type ProblemCode = keyof typeof problems;

/** Thrown by handlers. `detail` says what and where; it never repeats a secret or a body. */
export class ApiProblem extends Error {
  override name = 'ApiProblem';
  readonly code: ProblemCode;

  constructor(code: ProblemCode, detail: string) {
    super(detail);
    this.code = code;
  }
}

export const problemOf = (code: ProblemCode, detail: string): ProblemDetails => ({
  type: `urn:branchline:problem:${code}`,
  detail,
  code,
  ...problems[code],
});

export const problemType = 'application/problem+json; charset=utf-8';
