import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, expect, it, test } from 'vitest';
import { brokerProblems, mqttUrl } from './broker-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'branchline-broker-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fileWith = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const ca = fileWith('ca.pem', rootCertificates[0] as string);

test.each([
  'mqtt://broker:1883',
  'mqtts://broker.example:8883',
  'wss://broker.example/mqtt',
  'mqtt://[::1]:1883',
])('%s is the address of a broker', (url) => {
  expect(mqttUrl.safeParse(url).success).toBe(true);
});

test.each(['broker:1883', 'http://broker', 'nonsense', ''])('bad input B29: %j is not', (url) => {
  expect(mqttUrl.safeParse(url).error?.issues[0]?.message).toContain('mqtt://host:1883');
});

test.each(['mqtt://', 'mqtt://:1883', 'mqtt://broker:0'])(
  'bad input B29: %j, with which no connection can be tried, is refused',
  (url) => {
    expect(mqttUrl.safeParse(url).success).toBe(false);
  },
);

test.each(['mqtt://till:geheim@broker:1883', 'mqtts://till@broker', 'wss://:geheim@broker/mqtt'])(
  'bad input B29: an account in %s is refused, not ignored, and the settings for it are named',
  (url) => {
    const message = mqttUrl.safeParse(url).error?.issues[0]?.message;
    expect(message).toContain('BRANCHLINE_MQTT_USERNAME');
    expect(message).toContain('BRANCHLINE_MQTT_PASSWORD_FILE');
    expect(message).not.toContain('geheim');
  },
);

it('takes a certificate, and an account in its own settings', () => {
  const account = { mqttUsername: 'store-0001', mqttPassword: 'geheim' };
  expect(brokerProblems({ mqtt: 'mqtts://broker', mqttCa: ca, ...account })).toEqual([]);
});

test.each([
  ['a file that is missing', { mqtt: 'mqtts://broker', mqttCa: join(folder, 'nowhere.pem') }, 'ENOENT'],
  ['a folder', { mqtt: 'mqtts://broker', mqttCa: folder }, 'EISDIR'],
  [
    'a file without a certificate',
    { mqtt: 'mqtts://broker', mqttCa: fileWith('text', 'x') },
    'not a readable PEM',
  ],
  ['a certificate that would not be used', { mqtt: 'mqtt://broker', mqttCa: ca }, 'not encrypted'],
  [
    'a password without a user',
    { mqtt: 'mqtt://broker', mqttPassword: 'geheim' },
    'BRANCHLINE_MQTT_USERNAME',
  ],
])('bad input B29: %s is refused', (_, settings, says) => {
  expect(brokerProblems(settings)).toEqual([expect.stringContaining(says)]);
});
