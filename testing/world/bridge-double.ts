import { createServer, type Server } from 'node:net';
import { crc32, gunzipSync } from 'node:zlib';
import type { Control, Receipt, Status } from '@branchline/contracts/downlink.ts';
import { isProblem } from '@branchline/contracts/errors.ts';
import { type FrameHeader, splitFrame, splitLines } from '@branchline/contracts/frame.ts';
import { mqttTopic, parseMqttTopic } from '@branchline/contracts/topics.ts';
import { limitPackets } from '@branchline/local/packet-limit.ts';
import { Aedes } from 'aedes';

/** For tests: a real MQTT broker with a minimal bridge in it, which keeps what it receives and answers as the test says. */
export type TestBridge = {
  url: string;
  /** `stream/epoch/seq` → the event's JSON, of every frame, answered or not. */
  events: Map<string, string>;
  frames: (FrameHeader & { bytes: number })[];
  statuses: Status[];
  /** The answer to a frame; undefined for none. By default the frame is recorded. */
  answerTo: (header: FrameHeader) => Receipt | undefined;
  receipt(to: { site: string; agent: string }, receipt: unknown): void;
  control(to: { site: string; agent: string }, control: Control): void;
  /** The broker stops and forgets everything. */
  stop(): Promise<void>;
  /** It starts again on the same port. */
  start(): Promise<void>;
};

export const recordedReceipt = (header: FrameHeader): Receipt => ({
  v: 1,
  kind: 'recorded',
  stream: header.stream,
  epoch: header.epoch,
  ranges: [[header.first, header.first + header.count - 1]],
  recordedAt: Date.now(),
});

type BridgeOptions = { keepsEvents?: boolean; packetBytesMax?: number };

const serve = (broker: Aedes, packetBytesMax: number | undefined): Server =>
  createServer((socket) => {
    if (packetBytesMax !== undefined) limitPackets(socket, packetBytesMax, () => {});
    broker.handle(socket);
  });

/**
 * `keepsEvents: false` skips decompression, for measurements. With `packetBytesMax` the broker silently closes connections that
 * bring a larger packet.
 */
export const startTestBridge = async (options: BridgeOptions = {}): Promise<TestBridge> => {
  const { keepsEvents = true, packetBytesMax } = options;
  let broker: Aedes;
  let server: Server;
  let port = 0;

  const publish = (topic: string, value: unknown) =>
    broker.publish(
      {
        cmd: 'publish',
        topic,
        payload: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
        qos: 0,
        retain: false,
        dup: false,
      },
      () => {},
    );

  const bridge: TestBridge = {
    url: '',
    events: new Map(),
    frames: [],
    statuses: [],
    answerTo: recordedReceipt,
    receipt: (to, receipt) => publish(mqttTopic(to, 'receipt'), receipt),
    control: (to, control) => publish(mqttTopic(to, 'control'), control),
    stop: async () => {
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
    start: async () => {
      broker = await Aedes.createBroker();
      broker.on('publish', (packet, client) => {
        if (client === null) return;
        const topic = parseMqttTopic(packet.topic);
        if (isProblem(topic)) return;
        if (topic.channel === 'status') bridge.statuses.push(JSON.parse(packet.payload.toString()) as Status);
        if (topic.channel === 'up') onFrame(topic, packet.payload as Buffer);
      });
      server = serve(broker, packetBytesMax);
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      port = (server.address() as { port: number }).port;
      bridge.url = `mqtt://127.0.0.1:${port}`;
    },
  };

  const onFrame = (from: { site: string; agent: string }, payload: Buffer) => {
    const frame = splitFrame(payload);
    if (isProblem(frame)) throw new Error(frame.detail);
    const { header, body } = frame;
    if (crc32(body) !== header.crc) throw new Error('the frame has a wrong checksum');
    bridge.frames.push({ ...header, bytes: payload.length });
    if (keepsEvents) {
      const lines = splitLines(gunzipSync(body), header.count);
      if (isProblem(lines)) throw new Error(lines.detail);
      for (const [i, line] of lines.entries())
        bridge.events.set(
          `${header.stream}/${header.epoch}/${header.first + i}`,
          Buffer.from(line).toString(),
        );
    }
    const receipt = bridge.answerTo(header);
    if (receipt !== undefined) bridge.receipt(from, receipt);
  };

  await bridge.start();
  return bridge;
};
