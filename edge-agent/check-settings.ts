import { brokerProblems } from '@branchline/kernel/broker-settings.ts';
import { folderError } from '@branchline/kernel/create-folder.ts';
import { isLoopback } from '@branchline/kernel/loopback.ts';
import type { AgentConfig } from './config.ts';
import { reasonOfErrno } from './io/room.ts';

/** Combinations of settings that a start refuses although each setting is valid: a sentence each. */
export const settingsProblems = (config: AgentConfig): string[] => [
  ...openIntakeProblem(config),
  ...brokerProblems(config),
  ...dataDirProblem(config),
];

const openIntakeProblem = ({ intakeHost, intakeToken }: AgentConfig): string[] =>
  isLoopback(intakeHost) || intakeToken !== undefined
    ? []
    : [
        `intakeHost is ${intakeHost}, which other machines can reach: set intakeToken (BRANCHLINE_INTAKE_TOKEN), or leave intakeHost at 127.0.0.1.`,
      ];

/** A full or read-only disk is no reason to refuse: the agent starts and waits for room. */
const dataDirProblem = ({ dataDir }: AgentConfig): string[] => {
  const error = folderError(dataDir);
  return error === undefined || reasonOfErrno(error.code) !== undefined
    ? []
    : [`dataDir (--data-dir, BRANCHLINE_DATA_DIR) cannot be used: ${error.message}.`];
};
