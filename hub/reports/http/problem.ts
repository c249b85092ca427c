import type { ProblemDetails } from '../contract.ts';

/**
 * The closed list of what the report API says when it cannot answer, as RFC 9457 problem details. `hint` is for the person
 * who reads it.
 */
export const problems = {
  'not-valid': {
    status: 400,
    title: 'The request is not valid',
    hint: 'GET /api/v1/openapi.json describes every parameter.',
  },
  'bad-cursor': {
    status: 400,
    title: 'The cursor is not one of this list',
    hint: 'Take `next` of the page before, with the same parameters; leave it out for the first page.',
  },
  'cross-site': {
    status: 403,
    title: 'The request comes from another site',
    hint: 'Requests that change something are taken from the dashboard itself and from programs, not from other pages.',
  },
  'unknown-site': {
    status: 404,
    title: 'There is no such site',
    hint: 'A site is known from its first event or status on; GET /api/v1/sites lists them.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing here',
    hint: 'GET /api/v1/openapi.json lists all addresses.',
  },
  'no-demo': {
    status: 404,
    title: 'There is no simulated network',
    hint: 'Plugs can be pulled only where the setting demoNetwork names the simulated network.',
  },
  'not-held': {
    status: 409,
    title: 'It is not held any more',
    hint: 'Somebody else decided meanwhile, or the ledger has applied it; read it again.',
  },
  'still-named': {
    status: 409,
    title: 'The agent still names it, so it may still come',
    hint: 'Replay it. When the agent is gone for good, retire the agent first.',
  },
  'no-gap': {
    status: 409,
    title: 'Nothing is missing of it',
    hint: 'GET /api/v1/sites/{site}/gaps lists what is missing.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    hint: 'A calendar has at most 1,000 days.',
  },
  'json-only': {
    status: 415,
    title: 'The body is not JSON',
    hint: 'Send content-type application/json, with {} where there is nothing to say.',
  },
  'wrong-host': {
    status: 421,
    title: 'This is not the host that was asked for',
    hint: 'Open the dashboard as localhost or 127.0.0.1: other names are refused, because a foreign name may be pointed here.',
  },
  failed: {
    status: 500,
    title: 'The hub failed to answer',
    hint: "The hub's log has the details. Nothing that belongs to the books was changed.",
  },
  'network-away': {
    status: 502,
    title: 'The simulated network does not answer',
    hint: 'Look whether its process runs.',
  },
  'books-away': {
    status: 503,
    title: 'PostgreSQL does not answer',
    hint: 'The hub goes on by itself when PostgreSQL is back.',
  },
  'too-slow': {
    status: 503,
    title: 'The answer took too long and was cut off',
    hint: 'Ask for fewer days or sites at a time.',
  },
  'too-many-streams': {
    status: 503,
    title: 'Too many pages are open',
    hint: 'Close some; each open page holds one stream.',
  },
} as const;

export type ProblemCode = keyof typeof problems;

/** Thrown by handlers. `detail` names what and where; it never repeats a secret or a body. */
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
