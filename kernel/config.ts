import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as z from 'zod';

/**
 * One flat zod object per service is its validation, its `--help` and its documentation. The first of these sources that
 * has a value wins: `--key value`, `BRANCHLINE_KEY`, the file named by `BRANCHLINE_KEY_FILE` (for secrets, which then appear
 * neither on a command line nor in a dump of the environment), `--config FILE` (JSON), the default.
 */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

type Fields = Record<string, z.ZodType>;

export const environmentName = (key: string): string =>
  `BRANCHLINE_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

const flagName = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Converts text from flags and environment to what the schema expects: numbers, booleans and lists are read as JSON. */
const readText = (schema: z.ZodType, text: string): unknown => {
  if (schema.safeParse(text).success) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

const readSecret = (path: string, name: string): string => {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    throw new ConfigError(`${name} names ${path}, which cannot be read: ${(error as Error).message}`);
  }
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
    return `  --${flagName(key).padEnd(24)} ${field.description ?? ''}${shown}\n  ${' '.repeat(27)}${environmentName(key)}`;
  });
  return `${usage}\n\nSettings, as flags or environment variables; for secrets, VARIABLE_FILE names a file with the value:\n${rows.join('\n')}\n
  --config FILE              JSON object with the same keys
  --check-config             validate the settings and exit
  --help                     show this text\n`;
};

export const loadConfig = <S extends z.ZodObject>(
  usage: string,
  schema: S,
  { argv = process.argv.slice(2), env = process.env }: { argv?: string[]; env?: NodeJS.ProcessEnv } = {},
): z.infer<S> => {
  const shape = schema.shape as Fields;
  const options: Record<string, { type: 'string' | 'boolean' }> = {
    config: { type: 'string' },
    help: { type: 'boolean' },
    'check-config': { type: 'boolean' },
  };
  for (const key of Object.keys(shape)) options[flagName(key)] = { type: 'string' };
  let flags: Record<string, string | boolean | undefined>;
  try {
    flags = parseArgs({ args: argv, options, strict: true, allowPositionals: false }).values as typeof flags;
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\nSee --help.`);
  }
  if (flags.help === true) {
    process.stdout.write(helpText(usage, schema));
    process.exit(0);
  }

  const values: Record<string, unknown> = typeof flags.config === 'string' ? readFile(flags.config) : {};
  for (const [key, field] of Object.entries(shape)) {
    const name = environmentName(key);
    const file = env[`${name}_FILE`];
    const text =
      flags[flagName(key)] ??
      env[name] ??
      (file === undefined ? undefined : readSecret(file, `${name}_FILE`));
    if (typeof text === 'string') values[key] = readText(field, text);
  }
  const result = z.strictObject(shape).safeParse(values);
  if (!result.success) {
    const lines = result.error.issues.map((issue) => {
      const key = issue.path.map(String).join('.') || '(settings)';
      return `  ${key} (--${flagName(key)}, ${environmentName(key)}): ${issue.message}`;
    });
    throw new ConfigError(`These settings are invalid:\n${lines.join('\n')}\nSee --help.`);
  }
  if (flags['check-config'] === true) {
    process.stdout.write('The settings are valid.\n');
    process.exit(0);
  }
  return result.data as z.infer<S>;
};

/** For `main.ts`: returns the settings, or prints what is wrong and exits with code 2. */
export const loadConfigOrExit = <S extends z.ZodObject>(usage: string, schema: S): z.infer<S> => {
  try {
    return loadConfig(usage, schema);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
};
