import { currencies, minorDigitsOf } from '@branchline/contracts/currency.ts';
import { correction } from '@branchline/testing/world/dashboard-rows.ts';
import { expect, test } from 'vitest';
import { correctionTexts } from './correction-text.ts';
import { duration, inUnits, money, shortDuration, signedMoney, signedQuantity, span } from './figures.ts';

/** Digits only, because signs, blanks and separators are those of the machine's language. */
const digits = (text: string): string => text.replaceAll(/[^\d+]/g, '');

test('money has as many digits as its currency', () => {
  expect(digits(money(12_345, 'EUR'))).toBe('12345');
  expect(digits(money(12_300, 'EUR'))).toBe('12300');
  expect(digits(money(12_345, 'JPY'))).toBe('12345');
  expect(inUnits(12_345, 'EUR')).toBe(123.45);
  expect(inUnits(12_345, 'JPY')).toBe(12_345);
  expect(inUnits(12_345, 'KWD')).toBe(12.345);
});

test('money has the digits of ISO 4217, where Intl has other ones', () => {
  expect(digits(money(199_000, 'HUF'))).toBe('199000');
  expect(inUnits(199_000, 'HUF')).toBe(1_990);
  expect(inUnits(1_250_000, 'IQD')).toBe(1_250);
  for (const currency of currencies) {
    const places = minorDigitsOf(currency) as number;
    expect(inUnits(1_234_567, currency), currency).toBe(1_234_567 / 10 ** places);
    expect(digits(money(1_234_567, currency)), currency).toBe('1234567');
  }
});

test('a change has a sign, and no change has none', () => {
  expect(digits(signedMoney(12_345, 'EUR'))).toBe('+12345');
  expect(digits(signedMoney(0, 'EUR'))).toBe('000');
  expect(digits(signedQuantity('37'))).toBe('+37');
  expect(signedQuantity('-1.500')).toMatch(/^[-−]1[.,]5$/);
});

test.each([
  [0, '0 s', '0s'],
  [89, '89 s', '89s'],
  [240, '4 min', '4m'],
  [11_100, '3 h 5 min', '3h'],
  [18_000, '5 h', '5h'],
  [187_200, '2 d 4 h', '2d'],
])('%i seconds read %s and in a small cell %s', (seconds, long, short) => {
  expect(duration(seconds)).toBe(long);
  expect(shortDuration(seconds)).toBe(short);
});

test('H3 a correction states when, where, how much and how late', () => {
  const texts = correctionTexts(correction({ id: '1' }));
  expect(texts.when).toBe(span('2026-11-23T07:05:00.000Z', '2026-11-23T07:10:00.000Z'));
  expect(texts.site).toBe('store-0214');
  expect(digits(texts.what)).toBe('+37+12345');
  expect(texts.late).toBe('5 h late');
});

test('H3 a correction from another week names the date, not only the weekday', () => {
  const whenOf = (lateSeconds: number) => correctionTexts(correction({ id: '1', lateSeconds })).when;
  expect(whenOf(6 * 86_400 - 1)).not.toContain('2026');
  expect(whenOf(6 * 86_400)).toMatch(/23.*2026|2026.*23/);
});
