import { join } from 'node:path';
import { environmentName } from '@branchline/kernel/config.ts';
import { type Component, createComponent } from './component.ts';
import { checkout } from './paths.ts';

/** One of Branchline's programs as a component, with its status page. */
export type Service = {
  component: Component;
  url: string;
  /** The answer of GET /v1/status; undefined when there is none. */
  status(): Promise<Record<string, unknown> | undefined>;
};

export type Settings = Record<string, string | number | undefined>;

const getJson = async (url: string): Promise<Record<string, unknown> | undefined> => {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    const body = (await response.json()) as Record<string, unknown>;
    return response.ok ? body : undefined;
  } catch {
    return undefined;
  }
};

/** No component inherits the launcher's BRANCHLINE_ variables: they are addresses and secrets of other components. */
const ownEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !name.startsWith('BRANCHLINE_') || name === 'BRANCHLINE_LOG_LEVEL',
    ),
  );

export const environmentOf = (settings: Settings, extra: Record<string, string> = {}): NodeJS.ProcessEnv => ({
  ...ownEnvironment(),
  ...Object.fromEntries(
    Object.entries(settings)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [environmentName(key), String(value)]),
  ),
  ...extra,
});

/** Settings go through the environment, which other users cannot read. */
export const createService = ({
  name,
  script,
  settings,
  env,
  port,
  logDir,
  stopWithinMs,
  nodeFlags = [],
  readyUrl,
}: {
  name: string;
  /** Path in the checkout. */
  script: string;
  settings: Settings;
  env?: Record<string, string> | undefined;
  port: number;
  logDir: string;
  stopWithinMs?: number;
  nodeFlags?: readonly string[];
  /** The component is ready once this URL answers with JSON; defaults to `/healthz`. */
  readyUrl?: string;
}): Service => {
  const url = `http://127.0.0.1:${port}`;
  const component = createComponent({
    name,
    command: [process.execPath, ...nodeFlags, join(checkout, script)],
    env: environmentOf(settings, env),
    logFile: join(logDir, `${name}.log`),
    isReady: async () => (await getJson(readyUrl ?? `${url}/healthz`)) !== undefined,
    readyWithinMs: 60_000,
    ...(stopWithinMs === undefined ? {} : { stopWithinMs }),
  });
  return { component, url, status: () => getJson(`${url}/v1/status`) };
};
