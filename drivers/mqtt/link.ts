import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import { type Random, systemRandom } from '@branchline/kernel/random.ts';
import type { IClientOptions, MqttClient } from 'mqtt';
import clientModule from 'mqtt/lib/client';
import { type Certificates, isWebSocket, openMqttStream, parseMqttAddress } from './stream.ts';

/**
 * An MQTT link that is up or down and nothing in between. mqtt.js has a queue, a store and a reconnect of its own; all
 * three lose or delay messages (its store overwrites itself at 65,536 packets, its replay is one packet a round trip),
 * so every connection here is a new client with a clean session, publishing while down is refused, and whatever was on
 * the way when a link breaks counts as not sent.
 *
 * Messages travel with QoS 0: the only acknowledgement that means anything is the bridge's receipt, and a PUBACK would
 * promise what a broker does not keep. See docs/decisions/002.
 */
export type MqttLinkOptions = {
  /** mqtt://host:port or mqtts://host:port; ws:// and wss:// where a proxy lets nothing else through. */
  url: string;
  clientId: string;
  username?: string | undefined;
  password?: string | undefined;
  /** PEM texts, for mqtts. */
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  /** 4 is MQTT 3.1.1, which every broker speaks. */
  protocolVersion?: 4 | 5;
  keepaliveSeconds?: number;
  connectTimeoutMs?: number;
  /** Reconnect waits a random time up to base × 2^attempt, at most the cap. */
  reconnectBaseMs?: number;
  reconnectCapMs?: number;
  random?: Random;
  /** Topic filters; the link is up when all of them are granted. */
  subscriptions: string[];
};

export type MqttHandlers = {
  onUp(): void;
  /** Also called when a connection attempt fails; `reason` is one line for a log. */
  onDown(reason: string): void;
  onMessage(topic: string, payload: Uint8Array): void;
};

export type MqttLink = {
  isUp(): boolean;
  /** False when the link is down: the message is not kept, the caller still has it. */
  publish(topic: string, payload: Uint8Array | string): boolean;
  /** Bytes that the kernel has not taken yet; a sender that sees this grow should wait. */
  unsentBytes(): number;
  close(): Promise<void>;
};

type ClientClass = typeof clientModule.default;

/** Node and esbuild give a CommonJS module as it is, vitest unwraps its default. */
const Client: ClientClass =
  'default' in clientModule ? clientModule.default : (clientModule as unknown as ClientClass);

/** One client of one connection; it begins to connect at once. */
type OpenClient = (options: IClientOptions) => MqttClient;

/**
 * mqtt.js's own `connect` brings WebSocket, SOCKS and a URL parser along, megabytes that an agent has no use for, so it
 * is loaded for the addresses that need it and for no other.
 */
const openerFor = async (url: string, certificates: Certificates): Promise<OpenClient> => {
  if (isWebSocket(url)) {
    const { default: mqtt } = await import('mqtt');
    return (options) => mqtt.connect(url, { ...options, ...certificates });
  }
  const address = parseMqttAddress(url);
  return (options) =>
    new Client(
      (mqtt) => {
        const stream = openMqttStream(address, certificates);
        // mqtt.js passes on what a socket says of itself and swallows what TLS says of a certificate.
        if (address.secure) stream.on('error', (error) => mqtt.emit('error', error));
        return stream;
      },
      { ...options },
    );
};

export const openMqttLink = (options: MqttLinkOptions, handlers: MqttHandlers): MqttLink => {
  const { reconnectBaseMs = 250, reconnectCapMs = 15_000, random = systemRandom } = options;
  const clientOptions: IClientOptions = {
    clientId: options.clientId,
    protocolVersion: options.protocolVersion ?? 4,
    clean: true,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // Else mqtt-packet makes a buffer for each of the 65,536 packet ids: 12 MB, for ids that QoS 0 does not use.
    writeCache: false,
    keepalive: options.keepaliveSeconds ?? 20,
    connectTimeout: options.connectTimeoutMs ?? 5_000,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
  };
  const certificates: Certificates = {
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.cert === undefined ? {} : { cert: options.cert }),
    ...(options.key === undefined ? {} : { key: options.key }),
  };

  let current: MqttClient | undefined;
  let up = false;
  let closed = false;
  let attempt = 0;
  let retryTimer: NodeJS.Timeout | undefined;

  const connect = (open: OpenClient) => {
    if (closed) return;
    const mine = open(clientOptions);
    current = mine;
    let lastError = 'connection closed';
    let ended = false;

    const down = (reason: string) => {
      if (ended) return;
      ended = true;
      up = false;
      mine.end(true);
      if (closed) return;
      handlers.onDown(reason);
      const waitMs = fullJitterMs(attempt++, reconnectBaseMs, reconnectCapMs, random);
      retryTimer = setTimeout(connect, waitMs, open);
    };

    mine.on('connect', () => {
      if (options.subscriptions.length === 0) return ready();
      mine.subscribe(options.subscriptions, { qos: 0 }, (error, granted) => {
        if (error) return down(`subscribe failed: ${error.message}`);
        const refused = granted?.find((grant) => grant.qos >= 128);
        if (refused !== undefined) return down(`the broker refuses the subscription to ${refused.topic}`);
        ready();
      });
    });
    const ready = () => {
      if (ended || closed) return;
      up = true;
      attempt = 0;
      handlers.onUp();
    };
    mine.on('message', (topic, payload) => {
      if (!ended && !closed) handlers.onMessage(topic, payload);
    });
    mine.on('error', (error) => {
      lastError =
        error.message === '' ? String((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
    });
    mine.on('close', () => down(lastError));
  };
  void openerFor(options.url, certificates).then(connect);

  return {
    isUp: () => up,
    publish: (topic, payload) => {
      if (!up || current === undefined) return false;
      current.publish(topic, payload as Buffer | string, { qos: 0 });
      return true;
    },
    unsentBytes: () => current?.stream?.writableLength ?? 0,
    close: async () => {
      closed = true;
      up = false;
      clearTimeout(retryTimer);
      await current?.endAsync(false).catch(() => {});
    },
  };
};
