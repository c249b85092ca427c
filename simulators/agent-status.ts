/** What agents say of themselves at /v1/status, as far as the data-set check or a test waits for it. */
export type AgentCounts = { accepted: number; recorded: number; applied: number };
export type AgentAddress = { site: string; url: string; token?: string | undefined };

const statusMsMax = 5_000;

/** Undefined when the agent does not answer, which is normal while it starts or a test kills it. */
export const readAgentCounts = async ({ url, token }: AgentAddress): Promise<AgentCounts | undefined> => {
  try {
    const answer = await fetch(new URL('/v1/status', url), {
      signal: AbortSignal.timeout(statusMsMax),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    if (!answer.ok) return undefined;
    const { accepted, recorded, applied } = (await answer.json()) as AgentCounts;
    return { accepted, recorded, applied };
  } catch {
    return undefined;
  }
};

export const sumOf = (counts: Iterable<AgentCounts>): AgentCounts => {
  const sum = { accepted: 0, recorded: 0, applied: 0 };
  for (const { accepted, recorded, applied } of counts) {
    sum.accepted += accepted;
    sum.recorded += recorded;
    sum.applied += applied;
  }
  return sum;
};
