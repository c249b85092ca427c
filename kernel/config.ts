import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { nearest } from './nearest.ts';
import { secrets } from './settings.ts';

/**
 * One flat zod object per service is its validation, its `--help` and its documentation. The first of these sources that has a
 * value wins: `--key value`, `BRANCHLINE_KEY`, the file named by `--key-file` or `BRANCHLINE_KEY_FILE`, `--config FILE` (JSON),
 * the default. Secrets are refused on the command line; in a file they also stay out of a dump of the environment.
 */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

type Fields = Record<string, z.ZodType>;
type Flags = Record<string, string | boolean | undefined>;

/**
 * Reports combinations of settings that are refused although each is valid: a sentence each. A start and `--check-config` use
 * the same check.
 */
export type Check<S extends z.ZodObject> = (config: z.infer<S>) => string[];

export const environmentName = (key: string): string =>
  `BRANCHLINE_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

const flagName = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const nameOf = (key: string): string => `${key} (--${flagName(key)}, ${environmentName(key)})`;
const didYouMean = (name: string, known: readonly string[]): string => {
  const meant = nearest(name, known);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
};

/** Converts text from flags and environment to what the schema expects: numbers, booleans and lists are read as JSON. */
const readText = (schema: z.ZodType, text: string): unknown => {
  if (schema.safeParse(text).success) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

const readValueFile = (path: string, name: string): string => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    throw new ConfigError(`${name} names ${path}, which cannot be read: ${(error as Error).message}`);
  }
  if (text === '') throw new ConfigError(`${name} names ${path}, which is empty`);
  return text;
};

const readFile = (path: string): Record<string, unknown> => {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError(`--config ${path}: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigError(`--config ${path}: not a JSON object`);
  return value as Record<string, unknown>;
};

/** The `--help` text: the usage, then every setting with its default and its environment variable. */
export const helpText = (usage: string, schema: z.ZodObject): string => {
  const rows = Object.entries(schema.shape as Fields).map(([key, field]) => {
    const fallback = field.safeParse(undefined);
    const shown =
      fallback.success && fallback.data !== undefined
        ? ` [${JSON.stringify(fallback.data)}]`
        : fallback.success
          ? ''
          : ' (required)';
    const flag = flagName(key) + (secrets.has(field) ? '-file' : '');
    return `  --${flag.padEnd(24)} ${field.description ?? ''}${shown}\n  ${' '.repeat(27)}${environmentName(key)}`;
  });
  return `${usage}\n
Settings, as flags or environment variables. VARIABLE_FILE names a file with the value, and so does a flag that ends in -file:
secrets are not taken from the command line, which every user of the machine can read.\n${rows.join('\n')}\n
  --config FILE              JSON object with the same keys
  --check-config             say what a start would refuse, and exit
  --help                     show this text\n`;
};

const parseFlags = (fields: Fields, argv: string[]): Flags => {
  const options: Record<string, { type: 'string' | 'boolean' }> = {
    config: { type: 'string' },
    help: { type: 'boolean' },
    'check-config': { type: 'boolean' },
  };
  for (const [key, field] of Object.entries(fields)) {
    options[flagName(key)] = { type: 'string' };
    if (secrets.has(field)) options[`${flagName(key)}-file`] = { type: 'string' };
  }
  const names = Object.keys(options).map((name) => `--${name}`);
  const unknown = argv
    .map((flag) => flag.split('=', 1)[0] as string)
    .find((flag) => /^--./.test(flag) && !names.includes(flag));
  try {
    return parseArgs({ args: argv, options, strict: true, allowPositionals: false }).values as Flags;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ConfigError(
      code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && unknown !== undefined
        ? `${unknown} is not a setting${didYouMean(unknown, names)}\nSee --help.`
        : `${message}\nSee --help.`,
    );
  }
};

/** The text of a setting from its first source; undefined if only the file of settings may have it. */
const textOf = (key: string, field: z.ZodType, flags: Flags, env: NodeJS.ProcessEnv): string | undefined => {
  const [flag, variable] = [flagName(key), environmentName(key)];
  const given = flags[flag];
  if (typeof given === 'string') {
    if (secrets.get(field)?.isSecret(given))
      throw new ConfigError(
        `--${flag} holds a secret, and every user of this machine can read the command line. Put it in a file and name that ` +
          `with --${flag}-file, or set ${variable}. Change the secret if others use this machine.`,
      );
    return given;
  }
  const fileFlag = flags[`${flag}-file`];
  if (typeof fileFlag === 'string') return readValueFile(fileFlag, `--${flag}-file`);
  const file = env[`${variable}_FILE`];
  return env[variable] ?? (file === undefined ? undefined : readValueFile(file, `${variable}_FILE`));
};

const linesOf = (issue: z.core.$ZodIssue, values: Record<string, unknown>, keys: string[]): string[] => {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `  ${key} is not a setting${didYouMean(key, keys)}`);
  const [key = '', ...inside] = issue.path.map(String);
  const where = inside.length === 0 ? '' : `at ${inside.join('.')}: `;
  return [`  ${nameOf(key)}: ${values[key] === undefined ? 'missing' : `${where}${issue.message}`}`];
};

/**
 * Variables with the prefix that are not settings: those of the launcher and of tests, and those that Kubernetes sets for
 * services.
 */
const notSettings =
  /^BRANCHLINE_(STOP_WITH_PARENT|HOME|LAUNCHER_PID|TEST_DATA|PICTURES|\w+_SERVICE_(HOST|PORT\w*)|\w+_PORT_\d+_(TCP|UDP)\w*)$/;

const warningsOf = (keys: string[], env: NodeJS.ProcessEnv): string[] => {
  const known = keys.map(environmentName);
  return Object.entries(env)
    .filter(([name, value]) => name.startsWith('BRANCHLINE_') && !/^(tcp|udp):/.test(value ?? ''))
    .map(([name]) => name)
    .filter((name) => !known.includes(name.replace(/_FILE$/, '')) && !notSettings.test(name))
    .map(
      (name) =>
        `${name} is not a setting of this service and is ignored${didYouMean(name.replace(/_FILE$/, ''), known)}`,
    );
};

type Sources = { argv?: string[]; env?: NodeJS.ProcessEnv; warn?: (line: string) => void };

export const loadConfig = <S extends z.ZodObject>(
  usage: string,
  schema: S,
  check: Check<S> = () => [],
  {
    argv = process.argv.slice(2),
    env = process.env,
    warn = (line) => process.stderr.write(`warning: ${line}\n`),
  }: Sources = {},
): z.infer<S> => {
  const fields = schema.shape as Fields;
  const keys = Object.keys(fields);
  const flags = parseFlags(fields, argv);
  if (flags.help === true) {
    process.stdout.write(helpText(usage, schema));
    process.exit(0);
  }
  for (const line of warningsOf(keys, env)) warn(line);

  const values: Record<string, unknown> = typeof flags.config === 'string' ? readFile(flags.config) : {};
  for (const [key, field] of Object.entries(fields)) {
    const text = textOf(key, field, flags, env);
    if (text !== undefined) values[key] = readText(field, text);
  }
  const result = z.strictObject(fields).safeParse(values);
  if (!result.success) {
    const lines = result.error.issues.flatMap((issue) => linesOf(issue, values, keys));
    throw new ConfigError(`These settings are invalid:\n${lines.join('\n')}\nSee --help.`);
  }
  const config = result.data as z.infer<S>;
  const problems = check(config);
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  if (flags['check-config'] === true) {
    process.stdout.write('The settings are valid.\n');
    process.exit(0);
  }
  return config;
};

/** For `main.ts`: returns the settings, or prints what is wrong and exits with code 2. */
export const loadConfigOrExit = <S extends z.ZodObject>(
  usage: string,
  schema: S,
  check?: Check<S>,
): z.infer<S> => {
  try {
    return loadConfig(usage, schema, check);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
};
