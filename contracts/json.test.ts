import { expect, test } from 'vitest';
import { isJson, withoutProto } from './json.ts';

test('every value that JSON text can express is JSON, an infinite number is not', () => {
  expect(isJson(JSON.parse('{"a":[1,-0.5,"x",null,true,{"b":{}}],"__proto__":1}'))).toBe(true);
  expect(isJson(JSON.parse('{"a":[{"b":1e999}]}'))).toBe(false);
  for (const value of [undefined, Number.NaN, 1n, () => 0, [undefined]]) expect(isJson(value)).toBe(false);
});

test('fields called __proto__ are removed at any depth, and nothing else changes', () => {
  const text = '{"a":[{"__proto__":{"x":1},"b":2}],"__proto__":3,"c":{"d":[1,null,"__proto__"]}}';
  expect(JSON.stringify(withoutProto(JSON.parse(text)))).toBe(
    '{"a":[{"b":2}],"c":{"d":[1,null,"__proto__"]}}',
  );
  const plain = JSON.parse('{"a":[1,{"b":null}]}');
  expect(withoutProto(plain)).toBe(plain);
});
