import { expect, test } from 'vitest';
import { isWebSocket, parseMqttAddress } from './stream.ts';

test.each([
  ['mqtt://broker', 'broker', 1883, false],
  ['mqtt://127.0.0.1:18830', '127.0.0.1', 18830, false],
  ['tcp://broker:1', 'broker', 1, false],
  ['mqtts://broker.example', 'broker.example', 8883, true],
  ['ssl://[::1]:8884', '::1', 8884, true],
])('%s leads to %s, port %i', (text, host, port, secure) => {
  expect(parseMqttAddress(text)).toEqual({ host, port, secure });
});

test('an address without a broker is refused when parsed, not when used', () => {
  expect(() => parseMqttAddress('http://broker')).toThrow('mqtts://');
});

test('only ws and wss addresses use WebSocket', () => {
  expect(['ws://b', 'wss://b', 'mqtt://ws', 'mqtts://b'].map(isWebSocket)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
