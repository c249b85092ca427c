#!/usr/bin/env node
/**
 * node deploy/local/bootstrap.mjs SCRIPT [ARGUMENT…]
 *
 * Every npm script of this repository starts here. It prepares the checkout (packages, and a recent Node), then runs SCRIPT.
 * From the second run on there is nothing to prepare, which takes a few milliseconds to find out. It must run on Node 20
 * and newer, before anything is installed, so it is plain JavaScript without dependencies.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const checkout = path.resolve(here, '../..');
const home = path.join(checkout, '.branchline');

const say = (line) => process.stderr.write(`${line}\n`);

/** For failures that the user can fix: a message instead of a stack trace. */
const giveUp = (message) => {
  say(`\n${message}`);
  process.exit(1);
};

const readOr = (file, fallback) => {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return fallback;
  }
};

const fingerprint = (file) =>
  `${createHash('sha256').update(fs.readFileSync(file)).digest('hex')} ${process.platform}-${process.arch}\n`;

/** Node 24.10 is the oldest release that this project is tested with (TypeScript, zstd); 27 does not exist yet. */
const isNewEnough = (version) => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return (major > 24 || (major === 24 && minor >= 10)) && major < 27;
};

/** npm as a JavaScript file, to be run by the Node that runs this script. */
const findNpm = () => {
  const beside = path.dirname(fs.realpathSync(process.execPath));
  const onPath = (process.env.PATH ?? '').split(path.delimiter).map((folder) => {
    try {
      return fs.realpathSync(path.join(folder, 'npm'));
    } catch {
      return '';
    }
  });
  const candidates = [
    process.env.npm_execpath ?? '',
    path.join(beside, '../lib/node_modules/npm/bin/npm-cli.js'),
    ...onPath,
  ];
  const found = candidates.find((file) => file.endsWith('npm-cli.js') && fs.existsSync(file));
  return found ?? giveUp('There is no npm next to this Node and none on the PATH. Install npm 10 or newer.');
};

/** Shows progress, and npm's output only when it failed. */
const npmInstall = async (what, folder) => {
  say(`Branchline: ${what} …`);
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const still = setInterval(() => say(`  … still working after ${seconds()} s`), 10_000);
  // The machine's Node may be older than the packages require; it only unpacks them and runs none of their scripts.
  const flags = ['--ignore-scripts', '--no-engine-strict', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = spawn(process.execPath, [findNpm(), 'ci', ...flags, '--prefix', folder], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (chunk) => (output += chunk));
  const code = await new Promise((resolve) => npm.once('close', resolve));
  clearInterval(still);
  // npm explains the error first and prints its manual after that.
  if (code !== 0)
    giveUp(`npm ci failed with code ${code} in ${folder}:\n${output.split('\n').slice(0, 15).join('\n')}`);
  say(`  done in ${seconds()} s`);
};

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/** One set-up at a time. A lock is stale when its owner is gone or has not touched it for a minute. */
const withLock = async (work) => {
  fs.mkdirSync(home, { recursive: true });
  const lock = path.join(home, 'set-up.lock');
  for (let said = false; ; ) {
    try {
      fs.writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = Number(readOr(lock, '0'));
    const age = Date.now() - (fs.statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if ((owner > 0 && !isAlive(owner)) || age > 60_000) {
      fs.rmSync(lock, { force: true });
      continue;
    }
    if (!said) say('Branchline: waiting for the set-up of another run …');
    said = true;
    await sleep(250);
  }
  const touch = setInterval(() => fs.utimesSync(lock, new Date(), new Date()), 5_000);
  const release = () => fs.rmSync(lock, { force: true });
  process.once('exit', release);
  try {
    await work();
  } finally {
    clearInterval(touch);
    process.off('exit', release);
    release();
  }
};

const fetchedNode = path.join(home, `node/node_modules/node-${process.platform}-${process.arch}/bin/node`);
const nodeList = path.join(here, 'node/package-lock.json');
const nodeStamp = path.join(home, 'node/stamp');

const nodeIsReady = () => fs.existsSync(fetchedNode) && readOr(nodeStamp, '') === fingerprint(nodeList);

const fetchNode = async () => {
  const folder = path.join(home, 'node');
  fs.mkdirSync(folder, { recursive: true });
  fs.rmSync(nodeStamp, { force: true });
  for (const name of ['package.json', 'package-lock.json'])
    fs.copyFileSync(path.join(here, 'node', name), path.join(folder, name));
  await npmInstall(
    `this machine has Node ${process.versions.node}; downloading Node 24 from the npm registry`,
    folder,
  );
  if (!fs.existsSync(fetchedNode))
    giveUp(
      `The npm registry has no Node for ${process.platform}-${process.arch}.\n` +
        'Install Node 24 (24.10 or newer) or Node 26 from https://nodejs.org and try again.',
    );
  fs.writeFileSync(nodeStamp, fingerprint(nodeList));
};

const packageList = path.join(checkout, 'package-lock.json');
const packagesStamp = path.join(home, 'packages.stamp');
/** npm writes this file last, so a folder without it is incomplete. */
const installedList = path.join(checkout, 'node_modules/.package-lock.json');

const packagesAreReady = () => {
  const installed = fs.statSync(installedList, { throwIfNoEntry: false });
  if (installed === undefined) return false;
  const stamp = readOr(packagesStamp, '');
  // Without a stamp somebody ran `npm ci` by hand, which counts if the lockfile has not changed since.
  return stamp === ''
    ? installed.mtimeMs >= fs.statSync(packageList).mtimeMs
    : stamp === fingerprint(packageList);
};

const installPackages = async () => {
  fs.rmSync(packagesStamp, { force: true });
  await npmInstall('installing the locked packages', checkout);
  fs.writeFileSync(packagesStamp, fingerprint(packageList));
};

/**
 * The ancestors of this process: npm, or the shell in which npm runs its scripts and, where /proc shows it, npm above it.
 * When they change, npm has been killed, even with -9.
 */
const npmAbove = () => {
  const parent = process.ppid;
  const isShell = readOr(`/proc/${parent}/cmdline`, '').includes('\0-c\0');
  const stat = isShell ? readOr(`/proc/${parent}/stat`, '') : '';
  return `${parent} ${stat.slice(stat.lastIndexOf(')')).split(' ')[2] ?? ''}`;
};

const run = (node, script, args) => {
  const child = spawn(node, [path.resolve(checkout, script), ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: path.join(home, 'compile-cache'),
      // By this the script notices that its launcher is gone, even after kill -9.
      BRANCHLINE_LAUNCHER_PID: String(process.pid),
    },
  });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // On a terminal Ctrl-C reaches the script directly; to many programs a second one means "at once".
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  if (process.env.npm_lifecycle_event !== undefined) {
    const before = npmAbove();
    setInterval(() => npmAbove() === before || child.kill('SIGTERM'), 500).unref();
  }
  child.once('error', (error) => giveUp(`${node} does not start: ${error.message}`));
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
};

const [script, ...args] = process.argv.slice(2);
if (script === undefined) giveUp('Usage: node deploy/local/bootstrap.mjs SCRIPT [ARGUMENT…]');
const ownNodeIsNewEnough = isNewEnough(process.versions.node);
const isReady = () => (ownNodeIsNewEnough || nodeIsReady()) && packagesAreReady();
if (!isReady())
  await withLock(async () => {
    if (!ownNodeIsNewEnough && !nodeIsReady()) await fetchNode();
    if (!packagesAreReady()) await installPackages();
  });
run(ownNodeIsNewEnough ? process.execPath : fetchedNode, script, args);
