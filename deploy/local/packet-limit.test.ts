import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limitPackets, packetMeter } from './packet-limit.ts';

const packet = (bodyBytes: number): Buffer => {
  const header = [0x30];
  let rest = bodyBytes;
  do {
    const low = rest & 127;
    rest >>>= 7;
    header.push(rest > 0 ? low | 128 : low);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(header), Buffer.alloc(bodyBytes, 0xff)]);
};

test('packets up to the limit pass and the first one above it does not, however the bytes are split', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1 }),
      (sizes, cuts) => {
        const fits = packetMeter(300);
        const bytes = Buffer.concat(sizes.map(packet));
        let passed = true;
        for (let at = 0, i = 0; at < bytes.length && passed; i++) {
          const step = cuts[i % cuts.length] as number;
          passed = fits(bytes.subarray(at, at + step));
          at += step;
        }
        expect(passed).toBe(sizes.every((size) => size <= 300));
      },
    ),
  );
});

test('a length of more than four bytes is refused', () => {
  expect(packetMeter(1_000_000_000)(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]))).toBe(false);
});

test('a connection that announces a huge packet is closed before the packet arrives', async () => {
  const received: number[] = [];
  let tooLarge = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    limitPackets(socket, 1_000, () => {
      tooLarge += 1;
    });
    socket.on('data', (chunk) => received.push(chunk.length));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  client.write(packet(1_000));
  while (received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  client.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
  await new Promise((resolve) => client.once('close', resolve));
  expect(tooLarge).toBe(1);
  expect(received.reduce((sum, bytes) => sum + bytes, 0)).toBe(packet(1_000).length);
  server.close();
});
