import { join } from 'node:path';
import { bridgeUser, type Credentials } from './broker-rights.ts';
import type { Component } from './component.ts';
import { createMosquitto } from './mosquitto.ts';
import { freePort } from './probe.ts';
import { newSecret, writeSecretFile } from './secrets.ts';
import { createService } from './service.ts';

/** The broker between agents and bridge, with an account for each of them. */
export type MqttBroker = {
  component?: Component;
  url: string;
  account(user: string): { mqttUsername?: string; mqttPassword?: string };
};

/** A broker elsewhere has its own accounts: agents and bridge share the one in its URL, if any. */
export const externalBroker = (address: string): MqttBroker => {
  const url = new URL(address);
  if (url.protocol !== 'mqtt:' && url.protocol !== 'mqtts:')
    throw new Error('BRANCHLINE_MQTT must be a URL like mqtt://host:1883 or mqtts://user:password@host:8883');
  const { username, password } = url;
  url.username = '';
  url.password = '';
  return {
    url: url.href.replace(/\/$/, ''),
    account: () =>
      username === ''
        ? {}
        : { mqttUsername: decodeURIComponent(username), mqttPassword: decodeURIComponent(password) },
  };
};

/** Accounts are generated at every start; only the components of this stack need them. */
export const createBroker = async ({
  kind,
  dir,
  logDir,
  sites,
}: {
  kind: 'aedes' | 'mosquitto';
  dir: string;
  logDir: string;
  sites: readonly string[];
}): Promise<MqttBroker & { component: Component }> => {
  const users: Credentials = Object.fromEntries([bridgeUser, ...sites].map((user) => [user, newSecret()]));
  const port = await freePort();
  const url = `mqtt://127.0.0.1:${port}`;
  const account = (user: string) => {
    const mqttPassword = users[user];
    if (mqttPassword === undefined) throw new Error(`the broker has no account for ${user}`);
    return { mqttUsername: user, mqttPassword };
  };
  if (kind === 'mosquitto') {
    const component = await createMosquitto({ dir, port, users, logFile: join(logDir, 'mosquitto.log') });
    return { component, url, account };
  }
  const file = join(dir, 'credentials.json');
  writeSecretFile(file, `${JSON.stringify(users, null, 2)}\n`);
  const statusPort = await freePort();
  const { component } = createService({
    name: 'broker',
    script: 'deploy/local/broker.ts',
    settings: { port, credentials: file, statusPort },
    port: statusPort,
    logDir,
  });
  return { component, url, account };
};
