import type { Random } from '@branchline/kernel/random.ts';
import type { IClientOptions, MqttClient } from 'mqtt';
import clientModule from 'mqtt/lib/client';
import { createReconnectPace } from './reconnect-pace.ts';
import { type Certificates, isWebSocket, openMqttStream, parseMqttAddress } from './stream.ts';

/**
 * An MQTT link that is either up or down. mqtt.js has a queue, a store and a reconnect of its own; all three lose or
 * delay messages (its store overwrites itself at 65,536 packets, and resends one packet per round trip). So every
 * connection is a new client with a clean session, publishing while down is refused, and whatever was in flight when a
 * link breaks counts as not sent.
 *
 * Messages use QoS 0: the only acknowledgement with a meaning is the bridge's receipt, and a PUBACK would promise what a
 * broker does not keep. See docs/decisions/002.
 */
export type MqttLinkOptions = {
  /** mqtt://host:port or mqtts://host:port; ws:// or wss:// where a proxy permits nothing else. */
  url: string;
  clientId: string;
  username?: string | undefined;
  password?: string | undefined;
  /** PEM texts, for mqtts. */
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  /** 4 is MQTT 3.1.1, which every broker supports. */
  protocolVersion?: 4 | 5;
  keepaliveSeconds?: number;
  /** Until the broker has accepted the connection. */
  connectTimeoutMs?: number;
  /** Until the link is up: connected, and every subscription granted. */
  readyTimeoutMs?: number;
  /** What was published gets this long to leave when the link is closed. */
  closeTimeoutMs?: number;
  /** A link that lasted so long has worked: the next reconnect is quick again. */
  steadyAfterMs?: number;
  /** Full jitter: a reconnect waits a random time up to base × 2^attempt, at most the cap. */
  reconnectBaseMs?: number;
  reconnectCapMs?: number;
  random?: Random;
  /** Topic filters; the link is up once all of them are granted. */
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
  /** False when the link is down: the message is not kept, so the caller has to. */
  publish(topic: string, payload: Uint8Array | string): boolean;
  /** Bytes not yet written to the socket; a sender should wait while they grow. */
  unsentBytes(): number;
  close(): Promise<void>;
};

type ClientClass = typeof clientModule.default;

/** Node and esbuild return a CommonJS module as it is, vitest unwraps its default. */
const Client: ClientClass =
  'default' in clientModule ? clientModule.default : (clientModule as unknown as ClientClass);

/** Makes a client for one connection; it starts connecting at once. */
type OpenClient = (options: IClientOptions) => MqttClient;

/**
 * mqtt.js's own `connect` loads WebSocket, SOCKS and a URL parser, megabytes that an agent does not need, so it is
 * imported only for addresses that need it.
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
        // mqtt.js passes on the errors of a socket, but swallows those that TLS has with a certificate.
        if (address.secure) stream.on('error', (error) => mqtt.emit('error', error));
        return stream;
      },
      { ...options },
    );
};

const clientOptionsOf = (options: MqttLinkOptions): IClientOptions => ({
  clientId: options.clientId,
  protocolVersion: options.protocolVersion ?? 4,
  clean: true,
  reconnectPeriod: 0,
  resubscribe: false,
  queueQoSZero: false,
  // Otherwise mqtt-packet allocates a buffer for each of the 65,536 packet ids: 12 MB, and QoS 0 uses no ids.
  writeCache: false,
  keepalive: options.keepaliveSeconds ?? 20,
  connectTimeout: options.connectTimeoutMs ?? 5_000,
  ...(options.username === undefined ? {} : { username: options.username }),
  ...(options.password === undefined ? {} : { password: options.password }),
});

const certificatesOf = ({ ca, cert, key }: MqttLinkOptions): Certificates => ({
  ...(ca === undefined ? {} : { ca }),
  ...(cert === undefined ? {} : { cert }),
  ...(key === undefined ? {} : { key }),
});

const messageOf = (error: Error): string =>
  error.message === '' ? String((error as NodeJS.ErrnoException).code ?? error.name) : error.message;

const subscribe = (
  client: MqttClient,
  topics: string[],
  ready: () => void,
  failed: (reason: string) => void,
): void => {
  if (topics.length === 0) {
    ready();
    return;
  }
  client.subscribe(topics, { qos: 0 }, (error, granted) => {
    if (error) return failed(`subscribe failed: ${error.message}`);
    const refused = granted?.find((grant) => grant.qos >= 128);
    if (refused !== undefined) return failed(`the broker refuses the subscription to ${refused.topic}`);
    ready();
  });
};

/** A broker that has stopped reading takes no more of what was published. */
const endWithin = async (client: MqttClient, timeoutMs: number): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([client.endAsync(false).catch(() => {}), late]);
  clearTimeout(timer);
  client.stream?.destroy();
};

export const openMqttLink = (options: MqttLinkOptions, handlers: MqttHandlers): MqttLink => {
  const { readyTimeoutMs = 15_000, closeTimeoutMs = 2_000 } = options;
  const clientOptions = clientOptionsOf(options);
  let current: MqttClient | undefined;
  let up = false;
  let closed = false;
  const pace = createReconnectPace(options);
  let retryTimer: NodeJS.Timeout | undefined;

  const connect = (open: OpenClient) => {
    if (closed) return;
    const mine = open(clientOptions);
    current = mine;
    let lastError = 'connection closed';
    let ended = false;
    let waitsFor = 'no connection';
    const onDeadline = () => down(`not ready within ${readyTimeoutMs} ms: ${waitsFor}`);
    const deadline = setTimeout(onDeadline, readyTimeoutMs);

    const down = (reason: string) => {
      if (ended) return;
      ended = true;
      clearTimeout(deadline);
      up = false;
      mine.end(true);
      if (closed) return;
      const { waitMs, hint } = pace.onDown(performance.now());
      handlers.onDown(hint === undefined ? reason : `${reason}; ${hint}`);
      retryTimer = setTimeout(connect, waitMs, open);
    };

    mine.on('connect', () => {
      waitsFor = 'the broker does not answer the subscription';
      subscribe(mine, options.subscriptions, ready, down);
    });
    const ready = () => {
      if (ended || closed) return;
      clearTimeout(deadline);
      up = true;
      pace.onUp(performance.now());
      handlers.onUp();
    };
    mine.on('message', (topic, payload) => {
      if (!ended && !closed) handlers.onMessage(topic, payload);
    });
    mine.on('error', (error) => {
      lastError = messageOf(error);
    });
    mine.on('close', () => down(lastError));
  };
  void openerFor(options.url, certificatesOf(options)).then(connect);

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
      if (current !== undefined) await endWithin(current, closeTimeoutMs);
    },
  };
};
