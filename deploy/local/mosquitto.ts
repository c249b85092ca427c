import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '@branchline/contracts/limits.ts';
import { bridgeUser, type Credentials } from './broker-rights.ts';
import { type Component, createComponent } from './component.ts';
import { answers } from './probe.ts';
import { mustRun, runTool } from './run-tool.ts';

/**
 * Eclipse Mosquitto in place of `broker.ts`: the same accounts and rights, nothing kept over a restart. The one difference:
 * Mosquitto cannot tie client ids to users, so a site could disconnect another site's client by taking its client id. It
 * still could not publish as that site.
 */
const rights = `
pattern write bl/v1/+/%u/+/up
pattern write bl/v1/+/%u/+/status
pattern read bl/v1/+/%u/+/receipt
pattern read bl/v1/+/%u/+/control

user ${bridgeUser}
topic read bl/v1/+/+/+/up
topic read bl/v1/+/+/+/status
topic write bl/v1/+/+/+/receipt
topic write bl/v1/+/+/+/control
`;

const configuration = (dir: string, port: number): string => `
listener ${port} 127.0.0.1
allow_anonymous false
password_file ${join(dir, 'passwords')}
acl_file ${join(dir, 'rights')}
persistence false
retain_available false
max_packet_size ${limits.frameBytesMax + 64 * 1024}
max_queued_messages 1000
max_queued_bytes 67108864
set_tcp_nodelay true
sys_interval 0
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages false
${process.getuid?.() === 0 ? 'user root' : ''}
`;

/** Debian installs servers in /usr/sbin, which is not on an ordinary user's PATH. */
const find = (name: string): string =>
  [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin']
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file)) ?? name;

export const installMosquitto =
  process.platform === 'darwin'
    ? 'brew install mosquitto'
    : 'sudo apt-get install --no-install-recommends mosquitto';

export const findMosquitto = (): string => find('mosquitto');

export const hasMosquitto = async (): Promise<boolean> =>
  (await runTool([findMosquitto(), '-h']).catch(() => undefined)) !== undefined;

export const createMosquitto = async ({
  dir,
  port,
  users,
  logFile,
}: {
  dir: string;
  port: number;
  users: Credentials;
  logFile: string;
}): Promise<Component> => {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const secret = (name: string, text: string) => {
    const file = join(dir, name);
    writeFileSync(file, text, { mode: 0o600 });
    chmodSync(file, 0o600);
    return file;
  };
  const passwords = secret(
    'passwords',
    Object.entries(users)
      .map(([user, word]) => `${user}:${word}\n`)
      .join(''),
  );
  secret('rights', rights);
  const config = secret('mosquitto.conf', configuration(dir, port));
  const notFound = `Mosquitto is not installed. Install it with:\n  ${installMosquitto}`;
  // Hashes the passwords in place; on a command line every user of the machine could read them.
  await mustRun([find('mosquitto_passwd'), '-U', passwords], { notFound });
  return createComponent({
    name: 'mosquitto',
    command: [find('mosquitto'), '-c', config],
    logFile,
    stopWithinMs: 5_000,
    isReady: () => answers(port),
    readyWithinMs: 10_000,
  });
};
