import { agentName, siteName } from '@branchline/contracts/ids.ts';
import { limits } from '@branchline/contracts/limits.ts';
import { readScaleLabels } from '@branchline/contracts/scale-label.ts';
import { mqttUrl } from '@branchline/kernel/broker-settings.ts';
import { always, headerToken, listenPort, logLevel, secrets, waitMs } from '@branchline/kernel/settings.ts';
import * as z from 'zod';

/** The agent's settings. The descriptions are its `--help` and its documentation. */
export const agentConfig = z.strictObject({
  site: siteName.describe(
    'The store or warehouse that this agent serves. It accepts events of this site only.',
  ),
  agent: agentName.default('edge-1').describe('Name of this agent; unique where a site has several.'),
  dataDir: z
    .string()
    .min(1)
    .describe('Directory of the event database, on a local disk that keeps what was synced. One per agent.'),
  mqtt: mqttUrl.describe('URL of the MQTT broker, such as mqtt://host:1883 or mqtts://host:8883.'),
  mqttUsername: z.string().optional().describe('User name at the broker; usually the name of the site.'),
  mqttPassword: z.string().optional().describe('Password at the broker.').register(secrets, always),
  mqttCa: z.string().optional().describe("PEM file of the authority that signed the broker's certificate."),
  intakeHost: z
    .string()
    .default('127.0.0.1')
    .describe('Address that tills connect to. Any other than loopback needs intakeToken.'),
  intakePort: listenPort.default(7801).describe('Port that tills connect to; 0 takes a free one.'),
  intakeToken: headerToken
    .optional()
    .describe('Token that tills send as "Authorization: Bearer …"; at least 16 characters.')
    .register(secrets, always),
  eventBytesMax: z
    .int()
    .min(1_024)
    .max(limits.eventBytesCeiling)
    .default(limits.eventBytesMax)
    .describe('Size limit of one event, as canonical JSON.'),
  scaleLabels: z
    .string()
    .transform((text, context) => {
      const labels = readScaleLabels(text);
      if (typeof labels !== 'string') return labels;
      context.addIssue(labels);
      return z.NEVER;
    })
    .optional()
    .describe(
      'Where scale labels (prefix 02 and 20 to 29) hold the item\'s number, such as "2[0-9] IIIII WWWWW C"; separate several patterns by semicolons. See docs/events.md.',
    ),
  diskBudgetBytes: z
    .int()
    .min(4 * 1024 * 1024)
    .default(2 * 1024 ** 3)
    .describe(
      'Size limit of the database. When it is reached, the archive goes first, then new stock events are refused, then new sales; nothing accepted is dropped. The disk needs 64 MiB more.',
    ),
  archiveKeepMinutes: z
    .int()
    .min(0)
    .max(5_256_000)
    .default(4_320)
    .describe(
      'How long events that are in the books are kept, so that the hub can ask for them again. Only time in which the agent runs counts.',
    ),
  windowFrames: z
    .int()
    .min(1)
    .max(1_000)
    .default(40)
    .describe('Most batches in flight at once; a line with a long round trip needs more.'),
  statusIntervalMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(10_000)
    .describe('Interval of the status messages.'),
  receiptTimeoutMs: waitMs(100)
    .default(5_000)
    .describe('A batch that has no receipt after this time is sent again.'),
  receiptSilenceMs: waitMs(100)
    .default(180_000)
    .describe(
      'The agent reconnects when the link is up but no receipt has come for this long, and waits twice as long before each further reconnect.',
    ),
  backoffCapMs: waitMs(0).default(15_000).describe('Longest backoff while no receipts arrive.'),
  groupCommitMs: z
    .int()
    .min(0)
    .max(1_000)
    .default(2)
    .describe('How long an event waits for others to share its synced transaction.'),
  logLevel: logLevel.describe('Least severe level that is logged: debug, info, warn, error or silent.'),
});
export type AgentConfig = z.infer<typeof agentConfig>;
