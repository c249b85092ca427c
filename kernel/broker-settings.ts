import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as z from 'zod';

/** The settings with which a service reaches its MQTT broker, and which combinations of them are wrong. */

export const mqttUrl = z
  .url({
    protocol: /^(mqtt|mqtts|tcp|ssl|tls|ws|wss)$/,
    error: 'not the address of an MQTT broker, such as mqtt://host:1883 or mqtts://host:8883',
  })
  .refine(namesABroker, { error: 'names no host, or port 0', abort: true })
  .refine((text) => !hasAccount(text), {
    error:
      'holds a user name or a password, which belong in mqttUsername (BRANCHLINE_MQTT_USERNAME) and mqttPassword ' +
      '(BRANCHLINE_MQTT_PASSWORD, or BRANCHLINE_MQTT_PASSWORD_FILE for a file with it)',
  });

function namesABroker(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { hostname, port } = new URL(text);
  return hostname !== '' && port !== '0';
}

const hasAccount = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
};

type BrokerSettings = {
  mqtt: string;
  mqttUsername?: string | undefined;
  mqttPassword?: string | undefined;
  mqttCa?: string | undefined;
};

/** Throws if the file cannot be read or is not a certificate: TLS would ignore it and trust nobody. */
export const readCa = (path: string | undefined): string | undefined => {
  if (path === undefined) return undefined;
  try {
    const pem = readFileSync(path, 'utf8');
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    throw new Error(
      `mqttCa (BRANCHLINE_MQTT_CA) names ${path}, which is not a readable PEM certificate: ${(error as Error).message}`,
    );
  }
};

export const brokerProblems = ({ mqtt, mqttUsername, mqttPassword, mqttCa }: BrokerSettings): string[] => {
  const problems: string[] = [];
  if (mqttPassword !== undefined && mqttUsername === undefined)
    problems.push('mqttPassword is set without mqttUsername (BRANCHLINE_MQTT_USERNAME): MQTT needs both.');
  if (mqttCa !== undefined && !/^(mqtts|ssl|tls|wss):/i.test(mqtt))
    problems.push(`mqttCa is set, and ${mqtt} is not encrypted: use mqtts:// or wss://, or remove mqttCa.`);
  try {
    readCa(mqttCa);
  } catch (error) {
    problems.push((error as Error).message);
  }
  return problems;
};
