import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkout } from '@branchline/local/paths.ts';
import { build, type Plugin } from 'esbuild';

/**
 * The dashboard for production: its modules in one file, so that a browser makes one request instead of fifty, and the
 * page's other files under their names in the tree.
 */
const source = join(checkout, 'hub/dashboard');
const packages = ['uplot/dist/uPlot.esm.js', 'uplot/dist/uPlot.min.css'] as const;
const vendorNames = ['uplot.js', 'uplot.css'] as const;

/** The chart library stays a file of its own: it changes only with its version, so browsers can cache it. */
const vendorApart: Plugin = {
  name: 'vendor-apart',
  setup: (it) => {
    it.onResolve({ filter: /\/vendor\/uplot\.js$/ }, () => ({ path: './vendor/uplot.js', external: true }));
  },
};

export const buildPage = async (folder: string): Promise<void> => {
  mkdirSync(join(folder, 'vendor'), { recursive: true });
  await build({
    absWorkingDir: checkout,
    entryPoints: { main: join(source, 'main.ts') },
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    minify: true,
    legalComments: 'none',
    plugins: [vendorApart],
    logLevel: 'warning',
  });
  for (const name of readdirSync(source))
    if (/\.(html|css|svg|png|ico|woff2)$/.test(name)) cpSync(join(source, name), join(folder, name));
  const fromHub = (file: string) => fileURLToPath(import.meta.resolve(file));
  for (const [i, name] of vendorNames.entries())
    cpSync(fromHub(packages[i] as string), join(folder, 'vendor', name));
};
