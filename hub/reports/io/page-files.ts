import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

/** The dashboard's files, read once at the start. A browser gets exactly what is in this map. */
export type PageFile = { type: string; body: Buffer; etag: string };

const types: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  woff2: 'font/woff2',
};

const fileOf = (type: string, body: Buffer): PageFile => ({
  type,
  body,
  etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
});

const javascript = types.js as string;

/** What the dashboard shares with the hub; a browser knows no packages, so it asks for it by path. */
const contractsInTree = /'@branchline\/contracts\/(\w+\.ts)'/g;

/** Modules import each other by their names in the tree (.ts), index.html by .js; both lead to the stripped module. */
const moduleFile = (source: string): PageFile =>
  fileOf(
    javascript,
    Buffer.from(stripTypeScriptTypes(source).replaceAll(contractsInTree, "'/contracts/$1'")),
  );

/** In a bundle they are part of the dashboard's one module. */
const contractFiles = (source: string): [string, PageFile][] =>
  Array.from(stripTypeScriptTypes(source).matchAll(contractsInTree), ([, name]) => [
    `/contracts/${name}`,
    moduleFile(readFileSync(new URL(import.meta.resolve(`@branchline/contracts/${name}`)), 'utf8')),
  ]);

/** In a bundle uPlot lies beside the dashboard; in the tree npm has installed it. */
const vendorFiles = (folder: URL): [string, PageFile][] =>
  (
    [
      ['uplot.js', 'uplot/dist/uPlot.esm.js', javascript],
      ['uplot.css', 'uplot/dist/uPlot.min.css', types.css as string],
    ] as const
  ).map(([name, inPackage, type]) => {
    const bundled = new URL(`vendor/${name}`, folder);
    const found = existsSync(bundled) ? bundled : new URL(import.meta.resolve(inPackage));
    return [`/dashboard/vendor/${name}`, fileOf(type, readFileSync(found))];
  });

const isForTests = (name: string): boolean => /(\.test|-for-tests|\.d)\.ts$/.test(name);

/** By path. The caller passes `folder`, which in a bundle is not where it is in the tree. */
export const readPageFiles = (folder: URL): Map<string, PageFile> => {
  const files = new Map<string, PageFile>();
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  for (const name of names) {
    if (isForTests(name)) continue;
    const path = `/dashboard/${name.replaceAll('\\', '/')}`;
    const ending = /\.(\w+)$/.exec(name)?.[1] ?? '';
    const url = new URL(name, folder);
    if (ending === 'ts') {
      const source = readFileSync(url, 'utf8');
      const file = moduleFile(source);
      for (const [shared, contract] of contractFiles(source)) files.set(shared, contract);
      files.set(path, file);
      files.set(path.replace(/\.ts$/, '.js'), file);
    } else if (types[ending] !== undefined) files.set(path, fileOf(types[ending], readFileSync(url)));
  }
  for (const [path, file] of vendorFiles(folder)) files.set(path, file);
  const index = files.get('/dashboard/index.html');
  if (index !== undefined) files.set('/', index);
  return files;
};
