import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Real processes: what the bridge refuses at its start. */

const endOf = (flags: string[]) =>
  new Promise<{ code: number; said: string }>((resolve) => {
    execFile(process.execPath, [join(import.meta.dirname, 'main.ts'), ...flags], (error, _, said) =>
      resolve({ code: Number(error?.code ?? 0), said }),
    );
  });
const kafka = ['--kafka', '127.0.0.1:9'];

test.each([
  [[], ['kafka (--kafka, BRANCHLINE_KAFKA): missing', 'mqtt (--mqtt, BRANCHLINE_MQTT): missing']],
  [
    ['--kafka', 'nonsense', '--mqtt', 'nonsense'],
    ['not a list of Kafka brokers', 'not the address of an MQTT broker'],
  ],
  [[...kafka, '--mqtt', 'mqtt://bridge:geheim@127.0.0.1'], ['BRANCHLINE_MQTT_PASSWORD_FILE']],
  [[...kafka, '--mqtt', 'mqtt://127.0.0.1', '--mqtt-password', 'geheim'], ['--mqtt-password-file']],
  [[...kafka, '--mqtt', 'mqtts://127.0.0.1', '--mqtt-ca', '/nowhere.pem'], ['/nowhere.pem']],
])('bad input B29: %j is refused by name, in a check as at a start', async (flags, says) => {
  const start = await endOf(flags);
  expect(start.code).toBe(2);
  for (const text of says) expect(start.said).toContain(text);
  expect(start.said).not.toContain('geheim');
  expect(await endOf([...flags, '--check-config'])).toEqual(start);
});
