import { type Problem, problem } from './errors.ts';
import { namePattern, type Source, type Stream, shardCount, shardOf, streams } from './ids.ts';
import { limits } from './limits.ts';

/** MQTT topics, Kafka topics and record headers. None holds anything personal (invariant P1). */

export const mqttChannels = ['up', 'status', 'receipt', 'control'] as const;
export type MqttChannel = (typeof mqttChannels)[number];
export type BranchAddress = { site: string; agent: string };

/** `bl/v1/{shard}/{site}/{agent}/{channel}` */
export const mqttTopic = (to: BranchAddress, channel: MqttChannel): string =>
  `bl/v1/${shardOf(to.site)}/${to.site}/${to.agent}/${channel}`;

/** The subscription of the bridge that owns a shard. */
export const mqttShardFilter = (shard: number, channel: MqttChannel): string =>
  `bl/v1/${shard}/+/+/${channel}`;

export const parseMqttTopic = (
  topic: string,
): (BranchAddress & { shard: number; channel: MqttChannel }) | Problem => {
  const levels = topic.split('/', 7);
  const [bl, v1, shard, site, agent, channel] = levels;
  const foreign = (detail: string) => problem('topic-foreign', detail, topic.slice(0, 128));
  if (levels.length !== 6 || bl !== 'bl' || v1 !== 'v1')
    return foreign('not bl/v1/{shard}/{site}/{agent}/{channel}');
  if (site === undefined || agent === undefined || !namePattern.test(site) || !namePattern.test(agent))
    return foreign('not a site and an agent');
  if (!mqttChannels.includes(channel as MqttChannel)) return foreign('not a channel');
  if (shard !== String(shardOf(site)))
    return foreign(`${site} belongs to shard ${shardOf(site)} of ${shardCount}`);
  return { shard: shardOf(site), site, agent, channel: channel as MqttChannel };
};

/** The Kafka topics of one installation. The prefix is configurable so that several installations can share a cluster. */
export const kafkaTopics = (prefix = 'branchline') => ({
  pos: `${prefix}.pos.v1`,
  stock: `${prefix}.stock.v1`,
  status: `${prefix}.status.v1`,
  control: `${prefix}.control.v1`,
  deadletter: `${prefix}.deadletter.v1`,
});
export type KafkaTopics = ReturnType<typeof kafkaTopics>;

/** The topic that carries a stream. */
export const streamTopic = (topics: KafkaTopics, stream: Stream): string => topics[stream];

/**
 * Record headers. `bl-origin` says where an event comes from: the bridge derives it from the authenticated MQTT topic and
 * the frame header, and the hub trusts nothing else. `bl-to` addresses a control message.
 */
export const headers = {
  origin: 'bl-origin',
  to: 'bl-to',
  /** The agent that a status message or a dead letter came from, `site/agent`, taken from the authenticated MQTT topic. */
  from: 'bl-from',
  /** On dead letters: the error code, one line of detail, and the seqs that the record covers, `first-last`. */
  reason: 'bl-reason',
  detail: 'bl-detail',
  seqs: 'bl-seqs',
} as const;

/** `site/agent/stream/epoch/seq` */
export const originText = (source: Source, seq: number): string =>
  `${source.site}/${source.agent}/${source.stream}/${source.epoch}/${seq}`;

const epochPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const parseOrigin = (text: string): (Source & { seq: number }) | undefined => {
  const [site, agent, stream, epoch, seqText, rest] = text.split('/');
  const seq = Number(seqText);
  if (
    rest !== undefined ||
    site === undefined ||
    agent === undefined ||
    stream === undefined ||
    epoch === undefined
  )
    return undefined;
  if (!namePattern.test(site) || !namePattern.test(agent) || !streams.includes(stream as Stream))
    return undefined;
  if (!epochPattern.test(epoch) || !Number.isInteger(seq) || seq < 1 || seq > limits.seqMax) return undefined;
  return { site, agent, stream: stream as Stream, epoch, seq };
};
