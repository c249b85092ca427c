import { join } from 'node:path';
import { bridgeUser, type Credentials } from './broker-rights.ts';
import type { Component } from './component.ts';
import { createMosquitto } from './mosquitto.ts';
import { freePort } from './probe.ts';
import { newSecret, writeSecretFile } from './secrets.ts';
import { createService } from './service.ts';

/** The broker that agents and bridge meet on, with an account for everybody who may come. */
export type MqttBroker = {
  component?: Component;
  url: string;
  account(user: string): { mqttUsername?: string; mqttPassword?: string };
};

/** A broker elsewhere has accounts of its own: the one in its URL, if any, serves everybody here. */
export const externalBroker = (address: string): MqttBroker => {
  const url = new URL(address);
  if (url.protocol !== 'mqtt:' && url.protocol !== 'mqtts:')
    throw new Error('BRANCHLINE_MQTT is an address like mqtt://host:1883 or mqtts://user:password@host:8883');
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

/** Accounts are made up anew at every start; nobody but the components of this stack needs them. */
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
