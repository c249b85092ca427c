import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { missing } from './java.ts';
import { cache } from './paths.ts';
import { mustRun } from './run-tool.ts';

const pom = join(import.meta.dirname, 'kafka', 'pom.xml');

/**
 * The folder of Kafka's jars, named by the hash of the pom. Maven resolves them once, through the user's own settings
 * (mirrors, proxies, local repository), and verifies them against the repository's checksums.
 */
export const kafkaJars = async (onProgress: (line: string) => void): Promise<string> => {
  const name = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  const root = join(cache, 'kafka');
  const jars = join(root, `libs-${name}`);
  if (existsSync(jars)) return jars;

  onProgress('Kafka: downloading Apache Kafka with Maven, about 45 MB, once');
  mkdirSync(root, { recursive: true });
  const unfinished = mkdtempSync(join(root, 'unfinished-'));
  try {
    const goal = 'dependency:copy-dependencies';
    await mustRun(['mvn', '-B', '-q', '-f', pom, goal, `-DoutputDirectory=${join(unfinished, 'libs')}`], {
      notFound: missing('Maven downloads Apache Kafka, and there is no "mvn" on the PATH.'),
    });
    // Two concurrent first runs both resolve; the first rename wins.
    if (!existsSync(jars)) renameSync(join(unfinished, 'libs'), jars);
  } catch (error) {
    if (!existsSync(jars)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return jars;
};
