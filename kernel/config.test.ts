import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, helpText, loadConfig } from './config.ts';
import { always, kafkaBrokers, postgresUrl, secrets, withPassword } from './settings.ts';

const schema = z.object({
  site: z.string().describe('The site.'),
  intakePort: z.int().default(7801).describe('The port.'),
  intakeToken: z.string().min(16).optional().describe('The token.').register(secrets, always),
  postgres: postgresUrl.optional().describe('The database.').register(secrets, withPassword),
});
const token = 'a-token-of-sixteen';
const folder = mkdtempSync(join(tmpdir(), 'branchline-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fileWith = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const load = (argv: string[], env: NodeJS.ProcessEnv = {}, check: () => string[] = () => []) => {
  const warnings: string[] = [];
  const config = loadConfig('usage', schema, check, { argv, env, warn: (line) => warnings.push(line) });
  return { config, warnings };
};
const refusal = (argv: string[], env: NodeJS.ProcessEnv = {}, check?: () => string[]) => {
  try {
    load(argv, env, check);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('the settings were taken');
};

test.each([
  ['a flag for a file', ['--intake-token-file', fileWith('token', `${token}\n`)], {}],
  ['the environment', [], { BRANCHLINE_INTAKE_TOKEN: token }],
  ['a file that the environment names', [], { BRANCHLINE_INTAKE_TOKEN_FILE: fileWith('token', token) }],
  ['the file of settings', ['--config', fileWith('config', JSON.stringify({ intakeToken: token }))], {}],
])('bad input B29: a secret comes from %s', (_, argv, env) => {
  expect(load(['--site', 'store-0001', ...argv], env).config.intakeToken).toBe(token);
});

test.each([
  ['--intake-token', token],
  ['--postgres', 'postgres://hub:geheim@127.0.0.1/books'],
  ['--postgres', 'postgres://127.0.0.1/books?password=geheim'],
])('bad input B29: a secret on the command line is refused and not repeated: %s %s', (flag, value) => {
  const said = refusal(['--site', 'store-0001', flag, value]);
  expect(said).toContain(`${flag}-file`);
  expect(said).not.toContain(token);
  expect(said).not.toContain('geheim');
});

it('takes an address without a password from the command line', () => {
  const postgres = 'postgres://hub@127.0.0.1:5432/books';
  expect(load(['--site', 'store-0001', '--postgres', postgres]).config.postgres).toBe(postgres);
});

test.each([
  ['unreadable', join(folder, 'nowhere'), 'cannot be read'],
  ['empty', fileWith('empty', '\n'), 'is empty'],
])('bad input B29: a file with a secret that is %s is named', (_, path, why) => {
  const said = refusal(['--site', 'store-0001'], { BRANCHLINE_INTAKE_TOKEN_FILE: path });
  expect(said).toContain(`BRANCHLINE_INTAKE_TOKEN_FILE names ${path}`);
  expect(said).toContain(why);
});

it('bad input B29: a missing setting is reported as missing, with all its names', () => {
  expect(refusal([])).toContain('site (--site, BRANCHLINE_SITE): missing');
});

test.each([
  [['--sight', 'x'], '--sight is not a setting; did you mean --site?'],
  [['--intake-prot=7'], '--intake-prot is not a setting; did you mean --intake-port?'],
  [
    ['--site', 'a', '--config', fileWith('typo', '{"intakeProt":7}')],
    'intakeProt is not a setting; did you mean intakePort?',
  ],
  [['--nothing-like-it', 'x'], '--nothing-like-it is not a setting\n'],
])('bad input B29: %j is refused with the nearest known name', (argv, says) => {
  expect(refusal(argv)).toContain(says);
});

it('bad input B29: unknown variables are named, with the nearest known name', () => {
  const { warnings } = load(['--site', 'store-0001'], {
    BRANCHLINE_SITEE: 'store-0001',
    BRANCHLINE_INTAKE_TOKN_FILE: '/x',
    BRANCHLINE_RETENTION: '7',
    BRANCHLINE_INTAKE_PORT: '7801',
    BRANCHLINE_STOP_WITH_PARENT: '1',
    BRANCHLINE_HUB_SERVICE_HOST: '10.0.0.1',
    BRANCHLINE_HUB_PORT: 'tcp://10.0.0.1:7820',
    BRANCHLINE_HUB_PORT_7820_TCP_ADDR: '10.0.0.1',
    PATH: '/bin',
  });
  expect(warnings).toEqual([
    'BRANCHLINE_SITEE is not a setting of this service and is ignored; did you mean BRANCHLINE_SITE?',
    'BRANCHLINE_INTAKE_TOKN_FILE is not a setting of this service and is ignored; did you mean BRANCHLINE_INTAKE_TOKEN?',
    'BRANCHLINE_RETENTION is not a setting of this service and is ignored',
  ]);
});

it('refuses what a service says is wrong with the settings together, in a check as at a start', () => {
  const check = () => ['one', 'two'];
  expect(refusal(['--site', 'a'], {}, check)).toBe('one\ntwo');
  expect(refusal(['--site', 'a', '--check-config'], {}, check)).toBe('one\ntwo');
});

it('the help names files for secrets, and both names of every setting', () => {
  const text = helpText('usage', schema);
  expect(text).toContain('--intake-token-file');
  expect(text).toContain('BRANCHLINE_INTAKE_PORT');
  expect(text).toContain('(required)');
});

test.each(['nonsense', '127.0.0.1:5432/books', 'http://127.0.0.1/books', 'postgres:books', ''])(
  'bad input B29: %j is not the address of a database',
  (text) => {
    expect(postgresUrl.safeParse(text).success).toBe(false);
  },
);
test.each([
  'postgres://hub:secret@db.example:5432/books?sslmode=verify-full',
  'postgresql:///books?host=/run/postgresql',
  'socket:/run/postgresql?db=books',
  // The driver takes a % that encodes nothing as it stands.
  'postgres://hub:50%@db/books',
])('%s is the address of a database', (text) => {
  expect(postgresUrl.safeParse(text).success).toBe(true);
});

test.each([
  '',
  'kafka-1',
  'kafka://kafka-1:9092',
  'kafka-1:9092;kafka-2:9092',
  'kafka-1:port',
  'kafka-1:99999',
  'kafka-1:9092,kafka-2:0',
])('bad input B29: %j is not a list of Kafka brokers', (text) => {
  expect(kafkaBrokers.safeParse(text).success).toBe(false);
});
test.each(['127.0.0.1:9092', 'kafka-1:9092, kafka-2:9092', '[::1]:9092,'])(
  '%j is a list of Kafka brokers',
  (text) => {
    expect(kafkaBrokers.safeParse(text).success).toBe(true);
  },
);
