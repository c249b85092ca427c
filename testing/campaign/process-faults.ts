import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Component } from '@branchline/local/component.ts';
import { type Chances, type FaultKind, type Struck, signal } from './strike.ts';
import type { World } from './world.ts';

/** Processes that die, stop, or whose disk or clock fails. */

const agentsOf = (world: World) => world.branches.map(({ component }) => component);
const bridgesOf = (world: World) => world.bridges.map(({ component }) => component);
const hubsOf = (world: World) => world.hubs.map(({ component }) => component);

const killed =
  (of: (world: World) => Component[]): FaultKind['strike'] =>
  async (world, { oneOf }) => {
    const component = oneOf(of(world));
    await signal(component, 'SIGKILL');
    return { detail: component.name };
  };

/** In seconds, from shorter to longer than MQTT's keepalive and the session of a Kafka consumer. */
const paused =
  (of: (world: World) => Component[], min: number, max: number): FaultKind['strike'] =>
  async (world, { oneOf, wait }) => {
    const component = oneOf(of(world));
    const pid = await signal(component, 'SIGSTOP');
    const time = await wait(min, max);
    // If another fault has killed it meanwhile, the new process is not paused.
    if (component.pid === pid) component.kill('SIGCONT');
    return { detail: `${component.name} for ${time}` };
  };

const hasStrace = async (): Promise<string | undefined> => {
  const child = spawn('strace', ['-qq', '-o', '/dev/null', process.execPath, '--version'], {
    stdio: 'ignore',
  });
  const code = await Promise.race([
    once(child, 'exit').then(([exit]) => exit as number | null),
    once(child, 'error').then(() => 127),
  ]);
  return code === 0 ? undefined : 'it needs strace and permission to trace';
};

/** An agent's system calls fail as on a full or broken disk, without mounting one. */
const failingCalls =
  (calls: string, error: string): FaultKind['strike'] =>
  async (world, { oneOf, wait }): Promise<Struck> => {
    const component = oneOf(agentsOf(world));
    // While a process is being started, the shell would be traced instead.
    for (let tries = 0; component.pid === undefined && tries < 100; tries++) await sleep(100);
    const flags = [
      '-f',
      '-qq',
      '-o',
      '/dev/null',
      '-e',
      `trace=${calls}`,
      '-e',
      `inject=${calls}:error=${error}`,
    ];
    const strace = spawn('strace', [...flags, '-p', String(component.pid)], { stdio: 'ignore' });
    const ended = once(strace, 'exit');
    const time = await wait(3, 8);
    strace.kill('SIGTERM');
    await Promise.race([ended, sleep(5_000)]);
    return { detail: `${component.name}: ${calls} gave ${error} for ${time}` };
  };

const hourMs = 3_600_000;
const clockSteps = [-Date.UTC(2026, 0, 1), -3 * hourMs, -60_000, 90_000, 2 * hourMs, 30 * 24 * hourMs];

const clockStepped = async (world: World, { oneOf, wait }: Chances): Promise<Struck> => {
  const { site } = oneOf(world.branches);
  const step = oneOf(clockSteps);
  world.stepClock(site, step);
  const time = await wait(3, 8);
  world.stepClock(site, 0);
  return { detail: `${site} by ${Math.round(step / 1_000)} s for ${time}` };
};

export const processFaults: FaultKind[] = [
  {
    ...{ name: 'agent-killed', touches: 'agent', about: 'kill -9 of an agent' },
    strike: killed(agentsOf),
  },
  {
    ...{ name: 'agent-paused', touches: 'agent', about: 'SIGSTOP of an agent for 3 to 10 s' },
    strike: paused(agentsOf, 3, 10),
  },
  {
    ...{
      name: 'agent-disk-full',
      touches: 'agent',
      about: 'every write of an agent fails with ENOSPC for 3 to 8 s',
    },
    isMissing: hasStrace,
    strike: failingCalls('pwrite64', 'ENOSPC'),
  },
  {
    ...{
      name: 'agent-sync-fails',
      touches: 'agent',
      about: 'every sync of an agent fails with EIO for 3 to 8 s',
    },
    isMissing: hasStrace,
    strike: failingCalls('fsync,fdatasync', 'EIO'),
  },
  {
    ...{
      name: 'agent-clock-stepped',
      touches: 'agent',
      about: "an agent's clock jumps: 1970, hours back, minutes, a month ahead",
    },
    strike: clockStepped,
  },
  {
    ...{ name: 'bridge-killed', touches: 'bridge', about: 'kill -9 of one of two bridges' },
    strike: killed(bridgesOf),
  },
  {
    ...{
      name: 'bridge-paused',
      touches: 'bridge',
      about: 'SIGSTOP of a bridge for 4 to 15 s, after which it continues as a zombie',
    },
    strike: paused(bridgesOf, 4, 15),
  },
  {
    ...{ name: 'hub-killed', touches: 'hub', about: 'kill -9 of one of two hubs' },
    strike: killed(hubsOf),
  },
  {
    ...{
      name: 'hub-paused',
      touches: 'hub',
      about: 'SIGSTOP of a hub for 4 to 20 s, after which it continues as a zombie',
    },
    strike: paused(hubsOf, 4, 20),
  },
];
