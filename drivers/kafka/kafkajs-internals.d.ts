/**
 * Files inside kafkajs 2.2.4 that are changed at run time. They are imported, not required, so that a bundle holds
 * them as the same modules that kafkajs itself uses.
 */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  const RequestQueue: { prototype: { scheduleCheckPendingRequests?: () => void } };
  export default RequestQueue;
}

declare module 'kafkajs/src/network/connection.js' {
  const Connection: { prototype: { send?: (sent: object) => Promise<unknown> } };
  export default Connection;
}

declare module 'kafkajs/src/protocol/requests/produce/index.js' {
  const produce: object;
  export default produce;
}

declare module 'kafkajs/src/protocol/requests/fetch/index.js' {
  const fetch: object;
  export default fetch;
}

declare module 'kafkajs/src/protocol/requests/metadata/index.js' {
  const metadata: object;
  export default metadata;
}

declare module 'kafkajs/src/protocol/encoder.js' {
  export default class Encoder {
    writeBuffer(bytes: Buffer): this;
    writeUVarInt(value: number): this;
    writeUVarIntString(text: string): this;
    writeUVarIntArray(encoders: Encoder[]): this;
    writeBoolean(value: boolean): this;
    buffer: Buffer;
  }
}

declare module 'kafkajs/src/protocol/decoder.js' {
  export default class Decoder {
    constructor(bytes: Buffer);
    readInt16(): number;
    readInt32(): number;
    readBoolean(): boolean;
    readBytes(length: number): Buffer;
    readUVarInt(): number;
    readUVarIntString(): string | null;
    readUVarIntArray<T>(read: (decoder: Decoder) => T): T[] | null;
  }
}
