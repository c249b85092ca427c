import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@branchline/kernel/random.ts';
import { audit, checkRunning } from './audit.ts';
import { createDealer, type Dealt } from './deal.ts';
import { faultKinds } from './fault-kinds.ts';
import { createGrowth } from './growth.ts';
import type { CampaignOptions } from './options.ts';
import type { Result, Strike } from './report.ts';
import { backUp } from './server-faults.ts';
import { chancesFrom, type FaultKind, type Struck } from './strike.ts';
import { openTills, type Tills } from './tills.ts';
import { createWitness, type Witness } from './witness.ts';
import type { World } from './world.ts';

/** Deals faults until the time is up, and checks the books all the while. */

/** The hub's default interval. */
const intervalMs = 5 * 60_000;
const pollMs = 250;
const runningCheckMs = 10_000;
const auditMs = 10 * 60_000;
/** Longer than a fault and its recovery. */
const strikeMsMax = 120_000;

type Campaign = {
  world: World;
  tills: Tills;
  witness: Witness;
  say(line: string): void;
  findings: string[];
  patienceMs: number;
  signal: AbortSignal;
};

/** Polls until the condition holds; false if that takes too long. */
const within = async (
  { witness, tills, patienceMs, signal }: Campaign,
  condition: () => Promise<boolean> | boolean,
): Promise<boolean> => {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    if ((await Promise.race([witness.poll(), tills.failed])) && (await condition())) return true;
    await sleep(pollMs);
  }
  return false;
};

const bounded = <T>(what: string, work: Promise<T>): Promise<T> =>
  Promise.race([
    work,
    sleep(strikeMsMax, undefined, { ref: false }).then(() => {
      throw new Error(`${what} did not end within ${strikeMsMax / 1_000} s`);
    }),
  ]);

const strikeOnce = async (
  campaign: Campaign,
  { first, second, seeds }: Dealt<FaultKind>,
): Promise<Strike> => {
  const { world, witness, say, findings, patienceMs } = campaign;
  const kinds = second === undefined ? [first] : [first, second];
  const names = kinds.map(({ name }) => name);
  const struck: Struck[] = await Promise.all(
    kinds.map((kind, i) =>
      bounded(kind.name, kind.strike(world, chancesFrom(seededRandom(seeds[i] as number)))),
    ),
  );
  const endedAt = performance.now();
  if (struck.some(({ wentBack }) => wentBack === true)) witness.forget();
  const sites = world.branches.map(({ site }) => site);
  const isRecovered = async () => {
    if (witness.missingBefore(endedAt).length > 0 || witness.silentSince(sites, endedAt).length > 0)
      return false;
    for (const { recovered } of struck) if (recovered !== undefined && !(await recovered())) return false;
    return true;
  };
  const recovered = await within(campaign, isRecovered);
  const recoveryMs = recovered ? performance.now() - endedAt : undefined;
  const detail = struck.map((one) => one.detail).join('; ');
  if (recoveryMs === undefined) {
    const missing = witness.missingBefore(endedAt);
    const examples = missing.slice(0, 3).map(({ site, id }) => `${site} ${id}`);
    findings.push(
      `no recovery within ${patienceMs / 1_000} s of ${names.join(' and ')} (${detail}): ${missing.length} events missing` +
        `${examples.length === 0 ? '' : `, such as ${examples.join(', ')}`}; nothing new from: ${witness.silentSince(sites, endedAt).join(', ') || 'none'}`,
    );
  }
  say(
    `${names.join(' + ')} (${detail}): ${recoveryMs === undefined ? 'NO RECOVERY' : `${(recoveryMs / 1_000).toFixed(1)} s`}`,
  );
  return { names, detail, recoveryMs };
};

/** All tills stop selling until everything is in the books; then everything must be equal. */
const auditOnce = async (campaign: Campaign): Promise<void> => {
  const { tills, witness, world, findings, say, patienceMs } = campaign;
  await bounded('pausing the tills', tills.pause());
  const isDrained = async () => {
    if (witness.unseen() > 0) return false;
    const statuses = await Promise.all(world.branches.map((branch) => branch.status()));
    return statuses.every(
      (status) => status !== undefined && status.pending === 0 && status.applied === status.accepted,
    );
  };
  // What is already missing will not come; the comparison names all of it.
  if (findings.length === 0 && !(await within(campaign, isDrained)))
    findings.push(`not everything is in the books ${patienceMs / 1_000} s after the last sale`);
  const found = await audit(witness);
  findings.push(...found);
  const events = witness.accepted.facts.size.toLocaleString('en-GB');
  say(
    found.length === 0 ? `compared ${events} events with the books: equal` : `compared: ${found.join('; ')}`,
  );
  tills.resume();
};

/** Every few seconds, beside the faults. */
const watchBooks = (campaign: Campaign, growth: ReturnType<typeof createGrowth>) => {
  let checks = 0;
  let isStopped = false;
  const work = async () => {
    while (!isStopped) {
      await growth.sample().catch(() => {});
      const found = await checkRunning(campaign.witness);
      checks += 1;
      for (const line of found) if (!campaign.findings.includes(line)) campaign.findings.push(line);
      for (let waited = 0; waited < runningCheckMs && !isStopped; waited += pollMs) await sleep(pollMs);
    }
  };
  const working = work();
  return {
    checks: () => checks,
    stop: async () => {
      isStopped = true;
      await working;
    },
  };
};

const kindsToDeal = async (only: readonly string[]) => {
  const wanted = faultKinds.filter(({ name }) => only.length === 0 || only.includes(name));
  const skipped: { name: string; why: string }[] = [];
  const dealt: FaultKind[] = [];
  for (const kind of wanted) {
    const why = await kind.isMissing?.();
    if (why === undefined) dealt.push(kind);
    else skipped.push({ name: kind.name, why });
  }
  return { dealt, skipped };
};

/** The first finding ends the campaign: later ones would only blur it. */
const dealUntil = async (campaign: Campaign, deal: () => Dealt<FaultKind>, endAt: number) => {
  const strikes: Strike[] = [];
  let audits = 0;
  let auditedAt = performance.now();
  while (performance.now() < endAt && campaign.findings.length === 0) {
    campaign.signal.throwIfAborted();
    const dealt = deal();
    await sleep(dealt.quietMs);
    strikes.push(await strikeOnce(campaign, dealt));
    if (performance.now() - auditedAt > auditMs && campaign.findings.length === 0) {
      await auditOnce(campaign);
      audits += 1;
      auditedAt = performance.now();
    }
  }
  return { strikes, audits };
};

export type CampaignRun = Omit<Result, 'machine' | 'restarts' | 'seed' | 'minutes' | 'repeat'>;

export const runCampaign = async (
  world: World,
  options: CampaignOptions,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<CampaignRun> => {
  const { dealt, skipped } = await kindsToDeal(options.only);
  const witness = createWitness(world.postgres.ownerUrl, intervalMs);
  const tills = openTills({
    ...{ branches: world.branches, rate: options.rate, seed: options.seed },
    onAccepted: witness.note,
  });
  const growth = createGrowth(world);
  const patienceMs = options.patienceSeconds * 1_000;
  const campaign: Campaign = { world, tills, witness, say, findings: [], patienceMs, signal };
  const watching = watchBooks(campaign, growth);
  try {
    const startedAt = performance.now();
    const sites = world.branches.map(({ site }) => site);
    if (!(await within(campaign, () => witness.silentSince(sites, startedAt).length === 0)))
      campaign.findings.push('nothing reached the books before the first fault');
    await backUp(world);
    const deal = createDealer(dealt, seededRandom(options.seed));
    const { strikes, audits } = await dealUntil(campaign, deal, startedAt + options.minutes * 60_000);
    await auditOnce(campaign);
    await watching.stop();
    campaign.findings.push(...growth.findings());
    return {
      ...{
        strikes,
        skipped,
        findings: campaign.findings,
        audits: audits + 1,
        runningChecks: watching.checks(),
      },
      ...{ events: witness.accepted.facts.size, growth: growth.all(), databaseBytes: growth.databaseBytes() },
    };
  } finally {
    await tills.stop();
    await watching.stop();
    await witness.close();
  }
};
