import { expect, test } from 'vitest';
import { isLoopback } from './loopback.ts';

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
