import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { envelope } from './event.ts';
import { posSchemas } from './pos.ts';
import { stockSchemas } from './stock.ts';

/** P1: only `customer` and `operatorRef` can hold an identity, and only as a pseudonym or sealed. */
const forbidden = /name|birth|email|phone|address|card|iban|signature|auth|loyalty|cashier|person/i;

const walk = (schema: unknown, path: string, found: string[]): string[] => {
  if (typeof schema !== 'object' || schema === null) return found;
  for (const [key, value] of Object.entries((schema as { properties?: object }).properties ?? {})) {
    const at = `${path}.${key}`;
    found.push(at);
    walk(value, at, found);
  }
  const { items, anyOf } = schema as { items?: unknown; anyOf?: unknown[] };
  if (items !== undefined) walk(items, `${path}[]`, found);
  for (const option of anyOf ?? []) walk(option, path, found);
  return found;
};

const fields = [...posSchemas(z.strictObject), ...stockSchemas(z.strictObject)].flatMap((schema) =>
  walk(z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' }), '', []),
);

describe('P1 no identity of a customer or an operator', () => {
  test('has a field of its own in any event', () => {
    expect(fields.length).toBeGreaterThan(100);
    expect(fields.filter((field) => forbidden.test(field.split('.').at(-1) ?? ''))).toEqual([]);
  });

  test('fits into customer or operatorRef other than as a pseudonym or sealed', () => {
    const personal = fields.filter((field) => field.includes('.customer') || field.endsWith('.operatorRef'));
    expect([...new Set(personal.map((field) => field.replace('.data', '')))].sort()).toEqual([
      '.customer',
      '.customer.customerRef',
      '.customer.sealed',
      '.customer.sealed.alg',
      '.customer.sealed.ct',
      '.customer.sealed.iv',
      '.customer.sealed.kid',
      '.customer.sealed.v',
      '.operatorRef',
    ]);
  });

  test('is in an attribute: the list of attributes is closed', () => {
    expect(Object.keys(envelope).sort()).toEqual([
      'datacategory',
      'dataclassification',
      'datacontenttype',
      'dataregulation',
      'dataschema',
      'id',
      'recordedtime',
      'source',
      'specversion',
      'subject',
      'time',
      'traceparent',
    ]);
  });
});
