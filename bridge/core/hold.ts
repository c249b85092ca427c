import type { BranchAddress } from '@branchline/contracts/topics.ts';

/**
 * Agents turned away while the buffer was full. Each is told at most once per `repeatMs`, and called back when there is
 * room again. Agents beyond `agentsMax` are not remembered; they retry by themselves.
 */
export class Hold {
  readonly #repeatMs: number;
  readonly #agentsMax: number;
  #toldAt = new Map<string, { agent: BranchAddress; at: number }>();

  constructor({ repeatMs, agentsMax }: { repeatMs: number; agentsMax: number }) {
    this.#repeatMs = repeatMs;
    this.#agentsMax = agentsMax;
  }

  /** Whether to tell this agent now. */
  turnAway(agent: BranchAddress, nowMs: number): boolean {
    const key = `${agent.site}/${agent.agent}`;
    const told = this.#toldAt.get(key);
    if (told !== undefined && nowMs - told.at < this.#repeatMs) return false;
    if (told === undefined && this.#toldAt.size >= this.#agentsMax) return false;
    this.#toldAt.set(key, { agent, at: nowMs });
    return true;
  }

  /** The agents turned away since the last call. */
  callBack(): BranchAddress[] {
    const agents = [...this.#toldAt.values()].map(({ agent }) => agent);
    this.#toldAt.clear();
    return agents;
  }

  get size(): number {
    return this.#toldAt.size;
  }
}
