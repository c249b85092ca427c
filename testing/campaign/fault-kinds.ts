import { inputFaults } from './input-faults.ts';
import { lineFaults } from './line-faults.ts';
import { processFaults } from './process-faults.ts';
import { serverFaults } from './server-faults.ts';
import type { FaultKind } from './strike.ts';

export const faultKinds: readonly FaultKind[] = [
  ...processFaults,
  ...lineFaults,
  ...serverFaults,
  ...inputFaults,
];
