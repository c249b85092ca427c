import { agentName, siteName } from '@branchline/contracts/ids.ts';
import { limits } from '@branchline/contracts/limits.ts';
import { logLevels } from '@branchline/kernel/log.ts';
import * as z from 'zod';

/** The settings of the agent. The descriptions are its `--help` and its documentation. */
export const agentConfig = z.strictObject({
  site: siteName.describe('The store or warehouse this agent serves. It takes events of this site only.'),
  agent: agentName.default('edge-1').describe('Name of this agent; differs where a site has several.'),
  dataDir: z
    .string()
    .min(1)
    .describe(
      'Directory of the event database, on a local disk that keeps what it has synced. One per agent.',
    ),
  mqtt: z
    .url({ protocol: /^(mqtt|mqtts|tcp|ssl|ws|wss)$/ })
    .describe('The MQTT broker, as mqtt://host:1883 or mqtts://host:8883.'),
  mqttUsername: z.string().optional().describe('User name for the broker; usually the name of the site.'),
  mqttPassword: z.string().optional().describe('Password for the broker; better as a file.'),
  mqttCa: z.string().optional().describe('PEM file with the certificate authority that signed the broker.'),
  intakeHost: z
    .string()
    .default('127.0.0.1')
    .describe('Address for the tills. Anything but loopback needs intakeToken.'),
  intakePort: z.int().min(0).max(65_535).default(7801).describe('Port for the tills; 0 takes a free one.'),
  intakeToken: z
    .string()
    .min(16)
    .optional()
    .describe('Tills send it as "Authorization: Bearer …"; at least 16 characters. Better as a file.'),
  eventBytesMax: z
    .int()
    .min(1_024)
    .max(limits.eventBytesCeiling)
    .default(limits.eventBytesMax)
    .describe('The largest event, as canonical JSON.'),
  diskBudgetBytes: z
    .int()
    .min(4 * 1024 * 1024)
    .default(2 * 1024 ** 3)
    .describe(
      'What the database may use. When it is spent the archive is given up first, then new stock events are refused, then new sales; nothing accepted is dropped. The disk needs 64 MiB more.',
    ),
  archiveKeepMinutes: z
    .int()
    .min(0)
    .default(4_320)
    .describe('Events that are in the books are kept this long, so that the hub can ask for them again.'),
  windowFrames: z
    .int()
    .min(1)
    .max(1_000)
    .default(40)
    .describe('Batches on the way at once, at most; a long line needs more to be full.'),
  statusIntervalMs: z.int().min(100).default(10_000).describe('How often the agent says that it is alive.'),
  receiptTimeoutMs: z
    .int()
    .min(100)
    .default(5_000)
    .describe('A batch without a receipt after this time is sent again.'),
  backoffCapMs: z
    .int()
    .min(0)
    .default(15_000)
    .describe('The longest pause between attempts while no receipt comes at all.'),
  groupCommitMs: z
    .int()
    .min(0)
    .max(1_000)
    .default(2)
    .describe('How long a first event waits for others to share its synced transaction.'),
  logLevel: z.enum(logLevels).default('info').describe('debug, info, warn, error or silent.'),
});
export type AgentConfig = z.infer<typeof agentConfig>;
