import type { Status } from '@branchline/contracts/downlink.ts';

/** A valid status; what a test does not name gets a harmless value. */
export const agentStatus = (fields: Pick<Status, 'site' | 'at' | 'sources'> & Partial<Status>): Status => ({
  v: 1,
  agent: 'edge-1',
  status: 'alive',
  session: '5d2f5c70-2f2e-4b7e-9c5c-4b3a2d9e1f33',
  bootAt: fields.at - 3_600_000,
  agentVersion: '0.1.0',
  pending: 0,
  databaseBytes: 4_096,
  ...fields,
});
