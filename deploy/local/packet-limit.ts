import type { Socket } from 'node:net';

/**
 * MQTT allows packets of 256 MB, and aedes has no limit of its own: it buffers a whole packet before it reads it. This meter
 * follows only the fixed headers (MQTT 3.1.1 § 2.2: a type byte, then the remaining length in one to four bytes of seven
 * bits) and returns false at the header of a packet that is too large.
 */
export const packetMeter = (bytesMax: number): ((chunk: Uint8Array) => boolean) => {
  let bodyLeft = 0;
  /** -1 between packets, otherwise the number of length bytes read. */
  let lengthBytes = -1;
  let length = 0;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (bodyLeft > 0) {
        const step = Math.min(bodyLeft, chunk.length - at);
        bodyLeft -= step;
        at += step;
      } else if (lengthBytes === -1) {
        lengthBytes = 0;
        length = 0;
        at += 1;
      } else {
        const byte = chunk[at++] as number;
        length += (byte & 127) * 128 ** lengthBytes++;
        const last = byte < 128;
        if (length > bytesMax || (!last && lengthBytes === 4)) return false;
        if (!last) continue;
        bodyLeft = length;
        lengthBytes = -1;
      }
    }
    return true;
  };
};

/** Closes a connection that announces a packet above the limit. */
export const limitPackets = (socket: Socket, bytesMax: number, onTooLarge: () => void): void => {
  const fits = packetMeter(bytesMax);
  // All input passes `push` before anyone reads it; a stream in between would copy every byte.
  const push = socket.push.bind(socket);
  socket.push = (chunk: Buffer | null, ...rest) => {
    if (chunk === null || fits(chunk)) return push(chunk, ...rest);
    onTooLarge();
    socket.destroy();
    return false;
  };
};
