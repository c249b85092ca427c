import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { limits } from '@branchline/contracts/limits.ts';
import { loadConfigOrExit } from '@branchline/kernel/config.ts';
import { runUntilStopped } from '@branchline/kernel/lifecycle.ts';
import { createLog, logLevels } from '@branchline/kernel/log.ts';
import { serveStatus } from '@branchline/kernel/status-server.ts';
import { Aedes, type AuthenticateError } from 'aedes';
import { z } from 'zod';
import {
  type Credentials,
  credentials,
  knows,
  mayPublish,
  maySubscribe,
  mayUseClientId,
} from './broker-rights.ts';
import { limitPackets } from './packet-limit.ts';

/**
 * The MQTT broker of the one-machine stack: aedes, which speaks MQTT 3.1.1, with accounts, rights and limits. It stores
 * nothing: a restart loses every message in flight, which costs a resend and no event.
 */
const config = loadConfigOrExit(
  `The MQTT broker of the one-machine stack.

Usage: node deploy/local/broker.ts --credentials FILE`,
  z.object({
    host: z.string().default('127.0.0.1').describe('address to listen on'),
    port: z.int().min(1).max(65_535).default(1883).describe('port to listen on'),
    credentials: z.string().describe('JSON file of passwords by user name, readable by its owner only'),
    statusPort: z
      .int()
      .min(1)
      .max(65_535)
      .default(7831)
      .describe('port of /healthz and /v1/status, on loopback'),
    packetBytesMax: z
      .int()
      .min(1024)
      .default(1024 * 1024)
      .describe('a client that sends a larger packet is disconnected'),
    clientsMax: z.int().min(1).default(2_000).describe('maximum number of connections'),
    logLevel: z.enum(logLevels).default('info').describe('least severe level to log on stderr'),
  }),
  ({ packetBytesMax }) =>
    packetBytesMax < limits.frameBytesMax + 1024 ? ['packetBytesMax is smaller than one frame.'] : [],
);

const log = createLog('broker', config.logLevel);
const counts = {
  published: 0,
  refusedLogins: 0,
  refusedPublishes: 0,
  refusedSubscriptions: 0,
  oversizedPackets: 0,
};

/** Return codes of CONNACK, MQTT 3.1.1 § 3.2.2.3. */
const refusal = (message: string, returnCode: 2 | 4): AuthenticateError =>
  Object.assign(new Error(message), { returnCode });

const createBroker = async (known: Credentials): Promise<Aedes> => {
  const users = new WeakMap<object, string>();
  const userOf = (client: object | null) => (client === null ? undefined : users.get(client));
  const broker = await Aedes.createBroker({
    connectTimeout: 10_000,
    keepaliveLimit: 600,
    preConnect: (_client, packet, done) =>
      // A session that outlives its connection would queue messages that nobody may ever fetch.
      done(
        packet.clean === false ? refusal('this broker keeps no sessions', 2) : null,
        packet.clean !== false,
      ),
    authenticate: (client, user, password, done) => {
      const problem = !knows(known, user, password)
        ? refusal('unknown user or wrong password', 4)
        : !mayUseClientId(user as string, client.id)
          ? refusal('a client id begins with the name of its site and a dot', 2)
          : undefined;
      if (problem === undefined) {
        users.set(client, user as string);
        return done(null, true);
      }
      counts.refusedLogins += 1;
      log.warn(
        { user: user?.slice(0, 64), client: client.id.slice(0, 64), why: problem.message },
        'login refused',
      );
      done(problem, false);
    },
    authorizePublish: (client, packet, done) => {
      const user = userOf(client);
      const why =
        user === undefined || !mayPublish(user, packet.topic)
          ? 'not a topic this user may publish on'
          : packet.retain
            ? 'this broker retains nothing'
            : undefined;
      if (why === undefined) {
        counts.published += 1;
        return done(null);
      }
      counts.refusedPublishes += 1;
      log.warn({ user, topic: packet.topic.slice(0, 128), why }, 'publish refused, connection closed');
      done(new Error(why));
    },
    authorizeSubscribe: (client, subscription, done) => {
      const user = userOf(client);
      if (user !== undefined && maySubscribe(user, subscription.topic)) return done(null, subscription);
      counts.refusedSubscriptions += 1;
      log.warn({ user, topic: subscription.topic.slice(0, 128) }, 'subscription refused');
      done(null, null);
    },
  });
  broker.on('clientError', (client, error) =>
    log.debug({ client: client.id, error: error.message }, 'client error'),
  );
  broker.on('connectionError', (_client, error) => log.debug({ error: error.message }, 'connection error'));
  return broker;
};

const listen = async (broker: Aedes): Promise<Server> => {
  const server = createServer({ noDelay: true }, (socket) => {
    limitPackets(socket, config.packetBytesMax, () => {
      counts.oversizedPackets += 1;
      log.warn({ bytesMax: config.packetBytesMax }, 'packet above the limit, connection closed');
    });
    broker.handle(socket);
  });
  server.maxConnections = config.clientsMax;
  server.listen(config.port, config.host);
  await once(server, 'listening');
  return server;
};

await runUntilStopped(
  async () => {
    const known = credentials.parse(JSON.parse(readFileSync(config.credentials, 'utf8')));
    const broker = await createBroker(known);
    const server = await listen(broker);
    const status = await serveStatus({ port: config.statusPort }, () => ({
      clients: broker.connectedClients,
      ...counts,
    }));
    log.info({ host: config.host, port: config.port, users: Object.keys(known).length }, 'started');
    return {
      stop: async (reason) => {
        await status.close();
        const closed = once(server, 'close');
        server.close();
        await new Promise<void>((resolve) => broker.close(() => resolve()));
        await closed;
        log.info({ reason, ...counts }, 'stopped');
      },
    };
  },
  { log, graceMs: 5_000 },
);
