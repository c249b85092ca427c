import Decoder from 'kafkajs/src/protocol/decoder.js';
import Encoder from 'kafkajs/src/protocol/encoder.js';
import kafkaMetadata from 'kafkajs/src/protocol/requests/metadata/index.js';

/**
 * A topic that is deleted and created again has the same name and another id; offsets of the one mean nothing in the other.
 * kafkajs 2.2.4 asks for metadata in version 6, which knows no ids. Here it learns version 10 (Kafka 2.8 or newer), whose answer
 * it gets in the form that it expects, with the topic's id on every partition. With an older broker it agrees on one of its
 * own versions, and topics have no id.
 *
 * Source: Kafka protocol guide, Metadata Request and Response (Version: 10); KIP-516 for topic ids, KIP-482 for tagged fields.
 */
const version = 10;

type MetadataArguments = { topics?: string[]; allowAutoTopicCreation?: boolean };
type Definition = {
  request: { apiKey: number; apiVersion: number; apiName: string; encode(): Promise<Encoder> };
  response: { decode(bytes: Buffer): Promise<object>; parse(decoded: object): Promise<object> };
};
type Metadata = {
  versions?: string[];
  protocol?: (args: { version: number }) => (args: MetadataArguments) => Definition;
};

/** Of no tagged fields: header and every structure of this version end in them. */
const noTags = 0;

const encodeTopic = (name: string): Encoder =>
  new Encoder().writeBuffer(Buffer.alloc(16)).writeUVarIntString(name).writeUVarInt(noTags);

const encode =
  ({ topics = [], allowAutoTopicCreation = true }: MetadataArguments) =>
  async (): Promise<Encoder> => {
    // The header of this version ends in tagged fields; kafkajs writes it without them.
    const body = new Encoder().writeUVarInt(noTags);
    // No topics means all of them, which is a null array.
    if (topics.length === 0) body.writeUVarInt(0);
    else body.writeUVarIntArray(topics.map(encodeTopic));
    return body
      .writeBoolean(allowAutoTopicCreation)
      .writeBoolean(false)
      .writeBoolean(false)
      .writeUVarInt(noTags);
  };

const skipTags = (decoder: Decoder): void => {
  for (let left = decoder.readUVarInt(); left > 0; left--) {
    decoder.readUVarInt();
    decoder.readBytes(decoder.readUVarInt());
  }
};

const tagged = <T>(decoder: Decoder, value: T): T => {
  skipTags(decoder);
  return value;
};

const int32s = (decoder: Decoder): number[] => decoder.readUVarIntArray((one) => one.readInt32()) ?? [];

const uuidText = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const decodePartition = (decoder: Decoder, topicId: string) => {
  const partitionErrorCode = decoder.readInt16();
  const partitionId = decoder.readInt32();
  const leader = decoder.readInt32();
  const leaderEpoch = decoder.readInt32();
  const [replicas, isr, offlineReplicas] = [int32s(decoder), int32s(decoder), int32s(decoder)];
  return tagged(decoder, {
    ...{ partitionErrorCode, partitionId, leader, leaderEpoch, replicas, isr, offlineReplicas, topicId },
  });
};

const decodeTopic = (decoder: Decoder) => {
  const topicErrorCode = decoder.readInt16();
  const topic = decoder.readUVarIntString();
  const topicId = uuidText(decoder.readBytes(16));
  const isInternal = decoder.readBoolean();
  const partitionMetadata = decoder.readUVarIntArray((one) => decodePartition(one, topicId)) ?? [];
  // Authorised operations, which nobody asked for.
  decoder.readInt32();
  return tagged(decoder, { topicErrorCode, topic, isInternal, partitionMetadata });
};

const decodeBroker = (decoder: Decoder) => {
  const nodeId = decoder.readInt32();
  const host = decoder.readUVarIntString();
  const port = decoder.readInt32();
  const rack = decoder.readUVarIntString();
  return tagged(decoder, { nodeId, host, port, rack });
};

/** What kafkajs' own decoder returns, and the ids. */
export const decodeMetadata = async (bytes: Buffer) => {
  const decoder = new Decoder(bytes);
  skipTags(decoder);
  const clientSideThrottleTime = decoder.readInt32();
  const brokers = decoder.readUVarIntArray(decodeBroker) ?? [];
  const clusterId = decoder.readUVarIntString();
  const controllerId = decoder.readInt32();
  const topicMetadata = decoder.readUVarIntArray(decodeTopic) ?? [];
  return { throttleTime: 0, clientSideThrottleTime, brokers, clusterId, controllerId, topicMetadata };
};

const wrapped = Symbol.for('branchline.metadata');

/** Teaches kafkajs version 10, once per process. The version of kafkajs is pinned and its shape checked. */
export const teachTopicIds = (): void => {
  const metadata: Metadata & { [wrapped]?: true } = kafkaMetadata;
  const { versions, protocol } = metadata;
  if (versions === undefined || protocol === undefined)
    throw new Error('kafkajs has changed: the metadata protocol is gone');
  if (metadata[wrapped]) return;
  metadata[wrapped] = true;
  const newest = Math.max(...versions.map(Number));
  metadata.versions = [...versions, String(version)];
  metadata.protocol = ({ version: agreed }) => {
    // kafkajs takes the lesser of its newest version and the broker's, which need not be one that it knows.
    if (agreed < version) return protocol({ version: Math.min(agreed, newest) });
    return (args) => {
      const { request, response } = protocol({ version: newest })(args);
      return {
        request: { ...request, apiVersion: version, encode: encode(args) },
        response: { ...response, decode: decodeMetadata },
      };
    };
  };
};
