import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '@branchline/local/paths.ts';
import { build } from 'esbuild';
import { buildPage } from './build-page.ts';
import { lazyHttp, withoutWorkerTimers } from './plugins.ts';
import type { ServicePlan } from './services.ts';

/** The platforms for which better-sqlite3 ships a prebuilt addon. */
export const platforms = [
  'linux-x64',
  'linux-arm64',
  'linuxmusl-x64',
  'linuxmusl-arm64',
  'darwin-x64',
  'darwin-arm64',
] as const;
export type Platform = (typeof platforms)[number];

export type Built = { name: string; folder: string; codeBytes: number };

/** CommonJS packages call `require`, which ES modules do not have. No minifier generates this import's name. */
const requireForOldPackages =
  "import { createRequire as requireOfBundle } from 'node:module'; const require = requireOfBundle(import.meta.url);";

/** Builds one service into `folder`, which is emptied first. The result needs only Node. */
export const buildService = async (plan: ServicePlan, folder: string, platform: Platform): Promise<Built> => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: checkout,
    entryPoints: plan.entries,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'part-[name]-[hash]',
    assetNames: '[name]',
    bundle: true,
    // Dynamic imports (MQTT over WebSocket) stay files of their own, loaded on demand.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    sourcemap: 'external',
    legalComments: 'linked',
    alias: {
      'better-sqlite3': `better-sqlite3/${platform}`,
      // The package is a copy of Node's own module.
      'readable-stream': 'node:stream',
    },
    loader: { '.node': 'copy' },
    plugins: [lazyHttp, withoutWorkerTimers],
    banner: { js: requireForOldPackages },
    metafile: true,
    logLevel: 'warning',
  });
  for (const [name, source] of Object.entries(plan.folders))
    cpSync(join(checkout, source), join(folder, name), { recursive: true });
  if (plan.page === true) await buildPage(join(folder, 'dashboard'));
  const code = Object.entries(metafile.outputs).filter(([file]) => file.endsWith('.mjs'));
  return { name: plan.name, folder, codeBytes: code.reduce((sum, [, { bytes }]) => sum + bytes, 0) };
};
