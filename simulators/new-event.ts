import type { BranchEvent } from '@branchline/contracts/parse.ts';

/** An event as its producer makes it: CloudEvents 1.0 in structured JSON. */
export const newEvent = <E extends BranchEvent>(event: E): E => {
  const { id, ...rest } = event;
  return { specversion: '1.0', id, ...rest } as unknown as E;
};
