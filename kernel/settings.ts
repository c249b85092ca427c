import * as z from 'zod';
import { logLevels } from './log.ts';

/** Settings that several services have. Each service describes them itself. */

export const portNumber = z.int().min(1).max(65_535);
/** 0 takes a free port. */
export const listenPort = z.int().min(0).max(65_535);
export const logLevel = z.enum(logLevels).default('info');
/** How long a service may make no progress before it exits to be restarted. */
export const stuckMinutes = z.number().min(0.05).max(1_440).default(5);

/**
 * Settings whose value is, or may contain, a secret. They must not be on a command line: every user of the machine can read it
 * in the process list.
 */
export const secrets = z.registry<{ isSecret(text: string): boolean }>();
export const always = { isSecret: () => true };
/** For addresses, which are secret only with a password in them. */
export const withPassword = {
  isSecret: (text: string) => /^[a-z+]+:\/\/[^/?#]*:[^/?#]*@/i.test(text) || /[?&]password=/i.test(text),
};

/** `host:port`, IPv6 in brackets, separated by commas. */
const brokers = /^\s*(\[[\da-f:.]+\]|[\w.-]+):\d{1,5}\s*(,\s*(\[[\da-f:.]+\]|[\w.-]+):\d{1,5}\s*)*,?\s*$/i;
export const kafkaBrokers = z
  .string()
  .regex(brokers, 'not a list of Kafka brokers, such as kafka-1:9092,kafka-2:9092')
  .refine(
    (text) =>
      [...text.matchAll(/:(\d+)\s*(?:,|$)/g)].every(([, port]) => portNumber.safeParse(Number(port)).success),
    'a port is 1 to 65535',
  );

/** The same for everything that reads or writes the topics. */
export const topicPrefix = z
  .string()
  .regex(/^[a-z0-9-]{1,64}$/, 'at most 64 lower-case letters, digits and hyphens')
  .default('branchline');

/** What PostgreSQL's own tools accept as a URL; they would read anything else as the name of a database. */
export const postgresUrl = z
  .string()
  .regex(
    /^(postgres(ql)?:\/\/|socket:\/)\S+$/,
    'not a PostgreSQL URL, such as postgres://user@host:5432/database',
  );

/** Node's timers fire at once when told to wait longer than 2^31 - 1 ms, so such a setting would do the opposite. */
export const waitMs = (min: number) => z.int().min(min).max(86_400_000);

/** What an HTTP header carries unchanged; no other token could be sent. */
export const headerToken = z
  .string()
  .min(16)
  .max(1_024)
  .regex(
    /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/,
    'a token is one line of printable ASCII: no other can be sent in a header',
  );
