/** Control API of the simulated network: which lines are cut. Its address is a setting; production has none. */
const answerMs = 5_000;

type Link = { site: string; online: boolean };

export const readLinks = async (url: string): Promise<Link[]> => {
  const response = await fetch(new URL('/v1/links', url), { signal: AbortSignal.timeout(answerMs) });
  if (!response.ok) throw new Error(`the simulated network answered ${response.status}`);
  return ((await response.json()) as { links: Link[] }).links;
};

/** False when the network has no such site. */
export const setLink = async (url: string, site: string, online: boolean): Promise<boolean> => {
  const response = await fetch(new URL(`/v1/links/${encodeURIComponent(site)}`, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ online }),
    signal: AbortSignal.timeout(answerMs),
  });
  if (response.status === 404) return false;
  if (!response.ok) throw new Error(`the simulated network answered ${response.status}`);
  return true;
};
