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
  /** `packetBytesMax`: the largest packet that the broker takes, if it states one; MQTT 3.1.1 cannot. */
  onUp(packetBytesMax?: number): void;
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
  /** Consecutive links that broke soon after they came up; 0 once one has lasted. */
  briefLinks(): number;
  /** Ends the connection and begins another, as after any other end. Does nothing while the link is down. */
  reconnect(reason: string): void;
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
  clean: true,
  reconnectPeriod: 0,
  resubscribe: false,
  queueQoSZero: false,
  // Otherwise mqtt-packet allocates a buffer for each of the 65,536 packet ids: 12 MB, and QoS 0 uses no ids.
  writeCache: false,
  keepalive: options.keepaliveSeconds ?? 20,
  // Otherwise a client that publishes never pings, and does not notice that nobody is there any more.
  reschedulePings: false,
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

/** CONNACK codes of MQTT 3.1.1 (§ 3.2.2.3) and MQTT 5 (§ 3.2.2.2). */
const refusesVersion = (error: Error): boolean => [1, 0x84].includes((error as { code?: number }).code ?? 0);

/** Why an MQTT 5 broker ends a connection (§ 3.14.2.1), where the name of the code alone does not help people. */
const disconnectReasons: Record<number, string> = {
  135: 'the broker says: not authorised',
  141: 'the broker says: keepalive timeout',
  142: 'the broker says: another client has connected with the same client id',
  149: 'the broker says: packet too large; raise its packet limit (max_packet_size in Mosquitto)',
  151: 'the broker says: quota exceeded',
};
const disconnectReason = (code: number): string =>
  disconnectReasons[code] ?? `the broker ended the connection with reason 0x${code.toString(16)}`;

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

/**
 * What the end of a connection says about the MQTT version: nothing, that the broker refuses it, or that the broker may not
 * know it.
 */
type VersionAnswer = 'none' | 'refused' | 'unknown';

type ConnectionHandlers = {
  onReady(packetBytesMax: number | undefined): void;
  onMessage(topic: string, payload: Uint8Array): void;
  onEnd(reason: string, version: VersionAnswer): void;
};

/** Follows one connection until its one end; returns how to end it. */
const followConnection = (
  client: MqttClient,
  { subscriptions, readyTimeoutMs }: { subscriptions: string[]; readyTimeoutMs: number },
  { onReady, onMessage, onEnd }: ConnectionHandlers,
): ((reason: string) => void) => {
  let lastError: string | undefined;
  let connected = false;
  let ended = false;

  const end = (reason: string, version: VersionAnswer = 'none') => {
    if (ended) return;
    ended = true;
    clearTimeout(deadline);
    clearInterval(pings);
    client.end(true);
    onEnd(reason, version);
  };
  const onDeadline = () => {
    const missing = connected ? 'the broker does not answer the subscription' : 'no connection';
    end(`not ready within ${readyTimeoutMs} ms: ${missing}`);
  };
  const deadline = setTimeout(onDeadline, readyTimeoutMs);
  let pings: NodeJS.Timeout | undefined;

  client.on('connect', ({ properties }) => {
    connected = true;
    // Pings at a pace of their own: mqtt.js postpones the next ping with each received message, and brokers end a link that
    // only receives. `client.keepalive` is in seconds, and is the broker's if it states one.
    pings = setInterval(() => client.sendPing(), client.keepalive * 500);
    const ready = () => {
      if (ended) return;
      clearTimeout(deadline);
      onReady(properties?.maximumPacketSize);
    };
    subscribe(client, subscriptions, ready, end);
  });
  client.on('message', (topic, payload) => {
    // It proves as much as the answer to a ping, which on a slow line arrives after it.
    client.reschedulePing(true);
    if (!ended) onMessage(topic, payload);
  });
  client.on('disconnect', ({ reasonCode }) => {
    lastError = disconnectReason(reasonCode ?? 0);
  });
  client.on('error', (error) => {
    lastError ??= messageOf(error);
    if (!connected && refusesVersion(error)) end(lastError, 'refused');
  });
  client.on('close', () => {
    // Some brokers silently close a connection whose version they do not know.
    end(lastError ?? 'connection closed', connected || lastError !== undefined ? 'none' : 'unknown');
  });
  return end;
};

export const openMqttLink = (options: MqttLinkOptions, handlers: MqttHandlers): MqttLink => {
  const { readyTimeoutMs = 15_000, closeTimeoutMs = 2_000, subscriptions } = options;
  const clientOptions = clientOptionsOf(options);
  const pace = createReconnectPace(options);
  let current: MqttClient | undefined;
  let up = false;
  let closed = false;
  let retryTimer: NodeJS.Timeout | undefined;
  let end: ((reason: string) => void) | undefined;
  // MQTT 5 brokers state their packet limit and why they disconnect; others get MQTT 3.1.1.
  let protocolVersion: 4 | 5 = 5;

  const connect = (open: OpenClient) => {
    if (closed) return;
    current = open({ ...clientOptions, protocolVersion });
    end = followConnection(
      current,
      { subscriptions, readyTimeoutMs },
      {
        onReady: (packetBytesMax) => {
          if (closed) return;
          up = true;
          pace.onUp(performance.now());
          handlers.onUp(packetBytesMax);
        },
        onMessage: (topic, payload) => {
          if (!closed) handlers.onMessage(topic, payload);
        },
        onEnd: (reason, version) => {
          up = false;
          if (closed) return;
          const refusedNewer = version === 'refused' && protocolVersion === 5;
          if (refusedNewer || version === 'unknown') protocolVersion = protocolVersion === 5 ? 4 : 5;
          if (refusedNewer) return connect(open);
          const { waitMs, hint } = pace.onDown(performance.now());
          handlers.onDown(hint === undefined ? reason : `${reason}; ${hint}`);
          retryTimer = setTimeout(connect, waitMs, open);
        },
      },
    );
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
    briefLinks: () => pace.briefLinks(performance.now()),
    reconnect: (reason) => {
      if (up) end?.(reason);
    },
    close: async () => {
      closed = true;
      up = false;
      clearTimeout(retryTimer);
      if (current !== undefined) await endWithin(current, closeTimeoutMs);
    },
  };
};
