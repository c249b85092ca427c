import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from './run-tool.ts';

/** Apache Kafka 4 needs Java 17, and Maven fetches it. Both must be installed on the machine. */
const oldestJava = 17;

const install =
  process.platform === 'darwin'
    ? 'brew install openjdk@17 maven   (and follow the advice of brew on PATH)'
    : 'sudo apt-get install openjdk-17-jre-headless maven   (on Debian and Ubuntu)';
const instead = 'Or use a running Kafka: BRANCHLINE_KAFKA=host:9092';

export const missing = (what: string): string => `${what}\nInstall it with:\n  ${install}\n${instead}`;

export const findJava = async (): Promise<string> => {
  const atHome = join(process.env.JAVA_HOME ?? '', 'bin', 'java');
  const java = process.env.JAVA_HOME !== undefined && existsSync(atHome) ? atHome : 'java';
  const { code, output } = await runTool([java, '-version'], {
    notFound: missing(`Apache Kafka needs Java ${oldestJava} or newer, and there is no "java" on the PATH.`),
  });
  const version = /version "(\d+)/.exec(output)?.[1];
  if (code !== 0 || version === undefined)
    throw new Error(missing(`"${java} -version" prints no version:\n${output.trim()}`));
  if (Number(version) < oldestJava)
    throw new Error(
      missing(`Apache Kafka needs Java ${oldestJava} or newer, and "${java}" is Java ${version}.`),
    );
  return java;
};
