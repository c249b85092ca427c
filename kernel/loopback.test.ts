import { expect, test } from 'vitest';
import { isLoopback, isLoopbackHost, isOwnRequest } from './loopback.ts';

test.each([
  'localhost',
  '127.0.0.1',
  '127.255.3.9',
  '::1',
  '0:0:0:0:0:0:0:1',
  '::ffff:127.0.0.1',
  '::ffff:127.8.0.1',
])('%s is this machine only', (host) => {
  expect(isLoopback(host)).toBe(true);
});

test.each([
  '127.evil.com',
  '127.0.0.1.evil.com',
  '127.1',
  '127.0.0.256',
  '0127.0.0.1',
  'localhost.evil.com',
  '0.0.0.0',
  '::',
  '::2',
  '::ffff:10.0.0.1',
  '::ffff:127.evil.com',
  '128.0.0.1',
  '192.168.1.1',
  '[::1]',
  '',
])('%j may be reached by others', (host) => {
  expect(isLoopback(host)).toBe(false);
});

test.each(['localhost', 'localhost:7820', '127.0.0.1:7820', '127.3.2.1', '[::1]:7820', 'LOCALHOST'])(
  'the host %s is this machine',
  (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  },
);

test.each([
  undefined,
  '',
  'evil.example',
  '127.0.0.1.evil.example',
  'localhost.evil.example:7820',
  '10.0.0.1:7820',
])('the host %s is not', (host) => {
  expect(isLoopbackHost(host)).toBe(false);
});

const host = '127.0.0.1:7820';
test.each([
  [{ host }, true],
  [{ host, origin: `http://${host}` }, true],
  [{ host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }, true],
  [{ host, 'sec-fetch-site': 'cross-site' }, false],
  [{ host, 'sec-fetch-site': 'same-site' }, false],
  [{ host, 'sec-fetch-site': 'none' }, false],
  [{ host, origin: 'null' }, false],
  [{ host, origin: 'http://127.0.0.1:9999' }, false],
  [{ host, origin: 'https://evil.example' }, false],
])('a request with %j may change something: %s', (headers, own) => {
  expect(isOwnRequest(headers)).toBe(own);
});
