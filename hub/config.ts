import { isLoopback } from '@branchline/kernel/loopback.ts';
import {
  kafkaBrokers,
  listenPort,
  logLevel,
  postgresUrl,
  secrets,
  stuckMinutes,
  topicPrefix,
  withPassword,
} from '@branchline/kernel/settings.ts';
import { isTimeZone } from '@branchline/kernel/zone.ts';
import { z } from 'zod';
import { connectionProblems } from './io/connection-problems.ts';
import { usualKeepDays } from './ledger/retention.ts';

export const roles = ['ledger', 'reports'] as const;

/** `ledger,reports` on a command line, a list in a file. */
const roleList = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((role) => role.trim()) : value),
  z.array(z.enum(roles)).min(1),
);

const keepDays = z.number().min(1).max(36_500);

/** `dash.example,reports.example` on a command line, a list in a file. */
const hostList = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((host) => host.trim().toLowerCase()) : value),
  z
    .array(
      z
        .string()
        .regex(
          /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/,
          'a host is a name such as dash.example, without a port',
        ),
    )
    .max(20),
);

export const hubConfig = z.object({
  roles: roleList
    .default([...roles])
    .describe(
      'roles of this process, separated by commas: ledger (Kafka to books), reports (API, dashboard)',
    ),
  kafka: z
    .union([kafkaBrokers, z.literal('')])
    .default('')
    .describe('Kafka brokers, host:port, separated by commas; needed by the role ledger only'),
  topicPrefix: topicPrefix.describe('prefix of every topic name'),
  postgres: postgresUrl
    .describe(
      'postgres:// URL of the role branchline_hub, or of branchline_reports for a hub with reports only',
    )
    .register(secrets, withPassword),
  instance: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'at most 64 lower-case letters, digits and hyphens')
    .default('hub-0')
    .describe("this replica's name in logs and at the broker"),
  intervalMinutes: z
    .union([z.literal(1), z.literal(5), z.literal(10), z.literal(15), z.literal(30), z.literal(60)], {
      error: 'an interval is 1, 5, 10, 15, 30 or 60 minutes',
    })
    .default(5)
    .describe('length of the sales intervals; fixed once the books have entries'),
  statusHost: z.string().default('127.0.0.1').describe('address of /healthz, /v1/status and /metrics'),
  statusPort: listenPort
    .default(7821)
    .describe('port of /healthz, /v1/status and /metrics; 0 picks a free one'),
  reportsHost: z.string().default('127.0.0.1').describe('address of the report API and the dashboard'),
  reportsPort: listenPort
    .default(7820)
    .describe('port of the report API and the dashboard; 0 picks a free one, which /v1/status names'),
  insecureListen: z
    .boolean()
    .default(false)
    .describe('allow reportsHost to be reachable from other machines, although there is no sign-in yet'),
  allowedHosts: hostList
    .default([])
    .describe(
      'host names, separated by commas, under which browsers reach the dashboard besides localhost; other names are refused',
    ),
  timeZone: z
    .string()
    .refine(isTimeZone, 'not a time zone; use an IANA name such as Europe/Berlin')
    .default('UTC')
    .describe("the chain's time zone, for sites without their own"),
  agentStatusSeconds: z
    .number()
    .min(0.1)
    .max(3_600)
    .default(10)
    .describe(
      'how often agents send a status (their statusIntervalMs); a site is silent after three missing ones',
    ),
  demoNetwork: z
    .url()
    .optional()
    .describe("control address of the simulated network; lets the dashboard cut a site's line"),
  stuckMinutes: stuckMinutes.describe(
    'the process exits, to be restarted, when the ledger has records to read and Kafka and PostgreSQL answer, but no slice moves for this long',
  ),
  quarantineKeepDays: keepDays
    .default(usualKeepDays.quarantine)
    .describe('how long re-applied and dismissed quarantine is kept; held quarantine always is'),
  replayKeepDays: keepDays
    .default(usualKeepDays.replay_request)
    .describe('how long replay requests are kept after they are done or unanswered'),
  selfCheckKeepDays: keepDays
    .default(usualKeepDays.self_check)
    .describe('how long results of self-checks are kept; the newest always is'),
  correctionKeepDays: keepDays
    .default(usualKeepDays.correction)
    .describe('how long the log of corrections is kept; the corrected figures always are'),
  hubStateKeepDays: keepDays
    .default(usualKeepDays.hub_state)
    .describe('how long a hub that has stopped is still shown'),
  logLevel: logLevel.describe('what to log on stderr'),
});
export type HubConfig = z.infer<typeof hubConfig>;

/** Combinations of settings that are refused although each is valid: a sentence each. */
export const settingsProblems = (config: HubConfig): string[] => {
  const problems = connectionProblems(config);
  if (config.roles.includes('ledger') && config.kafka === '')
    problems.push(
      'The role ledger reads from Kafka, and kafka (--kafka, BRANCHLINE_KAFKA) is not set. ' +
        'Name its brokers, or start with --roles reports.',
    );
  if (config.roles.includes('reports') && config.statusPort === config.reportsPort && config.statusPort !== 0)
    problems.push(
      `statusPort and reportsPort are both ${config.statusPort}: give one of them another port (--status-port, --reports-port).`,
    );
  if (config.roles.includes('reports') && !isLoopback(config.reportsHost) && !config.insecureListen)
    problems.push(
      `reportsHost ${config.reportsHost} is reachable from other machines, and there is no sign-in yet: whoever reaches the ` +
        'dashboard can read all sales and change calendars. Use 127.0.0.1 behind a proxy that authenticates, ' +
        'or set insecureListen (--insecure-listen true) on a closed network.',
    );
  return problems;
};
