import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** The byte stream below MQTT: TCP, or TLS that rejects certificates it cannot verify. */

const defaultPort = { plain: 1883, secure: 8883 };
const plainProtocols = new Set(['mqtt:', 'tcp:']);
const secureProtocols = new Set(['mqtts:', 'ssl:', 'tls:']);

export type MqttAddress = { host: string; port: number; secure: boolean };

/** Throws when the text is not the address of an MQTT broker: retrying cannot mend a wrong setting. */
export const parseMqttAddress = (text: string): MqttAddress => {
  const url = new URL(text);
  const secure = secureProtocols.has(url.protocol);
  if (!secure && !plainProtocols.has(url.protocol))
    throw new Error(
      `${url.protocol}// does not lead to an MQTT broker; use mqtt://, mqtts://, ws:// or wss://`,
    );
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? defaultPort[secure ? 'secure' : 'plain'] : Number(url.port),
    secure,
  };
};

export const isWebSocket = (url: string): boolean => /^wss?:/i.test(url);

/** PEM texts. */
export type Certificates = { ca?: string; cert?: string; key?: string };

export const openMqttStream = ({ host, port, secure }: MqttAddress, certificates: Certificates): Socket => {
  if (!secure) return connectTcp({ host, port });
  // Server Name Indication takes host names only, no IP addresses (RFC 6066 § 3).
  return connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...certificates });
};
