/// <reference lib="dom" />

/** Client of the report API. Every failure becomes an ApiProblem with a message for the person. */
export class ApiProblem extends Error {
  override name = 'ApiProblem';
  readonly status: number;

  /** `status` is 0 when there was no answer. */
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Query = Record<string, string | number | boolean | undefined>;

export const apiPath = (path: string, query: Query = {}): string => {
  const wanted = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(wanted.map(([name, value]) => [name, String(value)])).toString();
  return `/api/v1${path}${text === '' ? '' : `?${text}`}`;
};

/** Longer than the server's statement timeout. */
const answerMsMax = 20_000;

const request = async <T>(path: string, init: RequestInit): Promise<T> => {
  const response = await fetch(path, { ...init, signal: AbortSignal.timeout(answerMsMax) }).catch(() => {
    throw new ApiProblem(0, 'The hub does not answer.');
  });
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
  const said = (await response.json().catch(() => ({}))) as {
    title?: string;
    detail?: string;
    hint?: string;
  };
  const words = [said.detail ?? said.title ?? `The hub answered ${response.status}.`, said.hint];
  throw new ApiProblem(response.status, words.filter((word) => word !== undefined).join(' '));
};

export const getJson = <T>(path: string, query?: Query): Promise<T> =>
  request<T>(apiPath(path, query), { headers: { accept: 'application/json' } });

export const sendJson = <T>(method: 'POST' | 'PUT', path: string, body: unknown = {}): Promise<T> =>
  request<T>(apiPath(path), {
    method,
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

export const problemText = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
