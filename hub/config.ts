import { logLevels } from '@branchline/kernel/log.ts';
import { z } from 'zod';

export const hubConfig = z.object({
  kafka: z.string().describe('Kafka brokers, host:port, separated by commas'),
  topicPrefix: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/)
    .default('branchline')
    .describe('first part of every topic name'),
  postgres: z
    .string()
    .describe('postgres:// URL of the role branchline_hub; better as a file, see BRANCHLINE_POSTGRES_FILE'),
  instance: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/)
    .default('hub-0')
    .describe("this replica's name in logs and at the broker"),
  intervalMinutes: z
    .union([z.literal(1), z.literal(5), z.literal(10), z.literal(15), z.literal(30), z.literal(60)])
    .default(5)
    .describe('length of the intervals in which sales are added up; fixed once the books have entries'),
  statusHost: z.string().default('127.0.0.1').describe('address of /healthz and /v1/status'),
  statusPort: z
    .int()
    .min(0)
    .max(65535)
    .default(7821)
    .describe('port of /healthz and /v1/status; 0 takes a free one'),
  logLevel: z.enum(logLevels).default('info').describe('what to log on stderr'),
});
export type HubConfig = z.infer<typeof hubConfig>;
