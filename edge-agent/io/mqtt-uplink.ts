import { type Control, control, type Receipt, receipt } from '@branchline/contracts/downlink.ts';
import { mqttTopic } from '@branchline/contracts/topics.ts';
import { openMqttLink } from '@branchline/drivers/mqtt/link.ts';
import type * as z from 'zod';

/** The agent's side of the MQTT link: frames and status out, receipts and control messages in. */
export type UplinkOptions = {
  site: string;
  agent: string;
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  ca?: string | undefined;
};

export type UplinkHandlers = {
  onUp(packetBytesMax?: number): void;
  onDown(reason: string): void;
  onReceipt(receipt: Receipt): void;
  onControl(control: Control): void;
  /** A message breaks the contract. It is ignored. */
  onUnreadable(topic: string): void;
};

export type Uplink = {
  isUp(): boolean;
  /** The link has so many unsent bytes that new frames would only age in a buffer. */
  isCongested(): boolean;
  briefLinks(): number;
  reconnect(reason: string): void;
  publishFrame(payload: Uint8Array): boolean;
  publishStatus(json: string): boolean;
  close(): Promise<void>;
};

/** A receipt or mark with all its ranges is 3 KiB. */
const messageBytesMax = 64 * 1024;
const unsentBytesMax = 256 * 1024;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

const readJson = <T>(schema: z.ZodType<T>, payload: Uint8Array): T | undefined => {
  if (payload.length > messageBytesMax) return undefined;
  try {
    const result = schema.safeParse(JSON.parse(strictUtf8.decode(payload)));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
};

export const openUplink = (options: UplinkOptions, handlers: UplinkHandlers): Uplink => {
  const topics = {
    up: mqttTopic(options, 'up'),
    status: mqttTopic(options, 'status'),
    receipt: mqttTopic(options, 'receipt'),
    control: mqttTopic(options, 'control'),
  };
  const onMessage = (topic: string, payload: Uint8Array) => {
    if (topic === topics.receipt) {
      const message = readJson(receipt, payload);
      return message === undefined ? handlers.onUnreadable(topic) : handlers.onReceipt(message);
    }
    const message = topic === topics.control ? readJson(control, payload) : undefined;
    return message === undefined ? handlers.onUnreadable(topic) : handlers.onControl(message);
  };
  const link = openMqttLink(
    {
      url: options.url,
      clientId: `${options.site}.${options.agent}`,
      username: options.username,
      password: options.password,
      ca: options.ca,
      subscriptions: [topics.receipt, topics.control],
    },
    { onUp: handlers.onUp, onDown: handlers.onDown, onMessage },
  );
  return {
    isUp: link.isUp,
    briefLinks: link.briefLinks,
    reconnect: link.reconnect,
    isCongested: () => link.unsentBytes() > unsentBytesMax,
    publishFrame: (payload) => link.publish(topics.up, payload),
    publishStatus: (json) => link.publish(topics.status, json),
    close: link.close,
  };
};
