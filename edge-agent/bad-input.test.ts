import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { movement, sale, testSite } from '@branchline/testing/world/agent-events.ts';
import {
  eventually,
  spawnAgent,
  startTestAgent,
  type TestAgent,
} from '@branchline/testing/world/agent-process.ts';
import { startTestBridge, type TestBridge } from '@branchline/testing/world/bridge-double.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** Every bad input that the agent rejects, over real HTTP, to one agent that has to survive them all. */

let directory: string;
let bridge: TestBridge;
let agent: TestAgent;
let number = 1_000;
const next = () => number++;
const me = { site: 'store-0001', agent: 'edge-1' };

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'branchline-'));
  bridge = await startTestBridge();
  agent = await startTestAgent(directory, bridge.url);
});
afterAll(async () => {
  expect((await agent.post(sale(next()))).status).toBe(201);
  expect(await agent.stop()).toBe(0);
  await bridge.stop();
  rmSync(directory, { recursive: true, force: true });
});

const codeOf = (answer: { json: { error?: { code: string } } }) => answer.json.error?.code;
const accepted = async () => (await agent.status()).accepted;
/** The event is refused with this status and code, and nothing is stored. */
const isRefused = async (body: unknown, status: number, code: string) => {
  const before = await agent.status();
  const answer = await agent.post(body);
  expect([answer.status, codeOf(answer)]).toEqual([status, code]);
  const after = await agent.status();
  expect(after.accepted).toBe(before.accepted);
  expect(after.refused).toBe(before.refused + 1);
};
/** The JSON text of a sale with one value replaced by text that need not be JSON. */
const saleWith = (value: string, replacement: string) => {
  const text = JSON.stringify(sale(next()));
  if (!text.includes(value)) throw new Error(`${value} is not in the sale`);
  return text.replace(value, replacement);
};
const storedText = async (id: string) =>
  eventually(() => [...bridge.events.values()].find((json) => JSON.parse(json).id === id), `${id} is sent`);

it.each([
  ['a text', 'hello'],
  ['nothing', ''],
  ['a byte order mark', `\ufeff${JSON.stringify(sale(1))}`],
  ['trailing bytes', `${JSON.stringify(sale(1))} x`],
  ['half an event', JSON.stringify(sale(1)).slice(0, 200)],
  ['a number', '42'],
  ['null', 'null'],
])('bad input B1: %s is 400', (_, text) => isRefused(text, 400, 'not-json'));

it('bad input B1: bytes that are not UTF-8 are 400', async () => {
  const text = Buffer.from(saleWith('"CASH"', '"CA\u00ffSH"'), 'latin1');
  await isRefused(text, 400, 'not-json');
});

it('bad input B2: a million nested arrays are refused before parsing', () =>
  isRefused('['.repeat(1_000_000), 400, 'too-deep'));

it('bad input B2: fiscal data nested deeper than the limit are refused', () => {
  const deep = `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`;
  return isRefused(saleWith('"currency":"EUR"', `"currency":"EUR","fiscal":{"x":${deep}}`), 400, 'too-deep');
});

const rssBytes = () => {
  const status = readFileSync(`/proc/${agent.process.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
};

/** Writes raw HTTP; resolves with everything that came back when the agent closes the connection. */
const byHand = (write: (send: (text: string | Buffer) => void, isOpen: () => boolean) => void) =>
  new Promise<string>((resolve) => {
    const { hostname, port } = new URL(agent.url);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.on('connect', () =>
      write(
        (bytes) => socket.write(bytes),
        () => !socket.destroyed,
      ),
    );
  });
const head = 'POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';

it('bad input B3: a body that announces too large a size is 413, and the agent closes the connection', async () => {
  const answer = await byHand((send) => send(`${head}content-length: 2000000\r\n\r\n{`));
  expect(answer).toContain('413');
  expect(answer).toContain('body-too-large');
});

it.skipIf(process.platform !== 'linux')(
  'bad input B3: an endless chunked body is 413, and memory stays flat',
  async () => {
    const before = rssBytes();
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, 32), Buffer.from('\r\n')]);
    for (let i = 0; i < 5; i++) {
      const answer = await byHand((send, isOpen) => {
        send(`${head}transfer-encoding: chunked\r\n\r\n`);
        const more = () => {
          if (!isOpen()) return;
          send(chunk);
          setImmediate(more);
        };
        more();
      });
      // The agent may close the connection before the sender reads, so the answer itself can be lost.
      expect(answer === '' || answer.includes('413')).toBe(true);
    }
    expect(rssBytes() - before).toBeLessThan(48 * 1024 * 1024);
  },
);

const inPieces = (text: string, bytes: number) => {
  let body = '';
  for (let i = 0; i < text.length; i += bytes) {
    const piece = text.slice(i, i + bytes);
    body += `${piece.length}\r\n${piece}\r\n`;
  }
  return `${head}connection: close\r\ntransfer-encoding: chunked\r\n\r\n${body}0\r\n\r\n`;
};

it.each([1, 2])(
  'bad input B3: a megabyte in pieces of %i bytes is accepted like any other body',
  async (bytes) => {
    const events = Array.from({ length: 1_000 }, () => sale(next(), { lines: 4 }));
    const text = JSON.stringify(events);
    expect(text.length).toBeGreaterThan(800_000);
    const before = await accepted();
    const answer = await byHand((send) => send(inPieces(text, bytes)));
    expect(answer).toMatch(/^HTTP\/1.1 200/);
    expect(await accepted()).toBe(before + 1_000);
  },
  60_000,
);

it.skipIf(process.platform !== 'linux')(
  'bad input B3: large requests that are pipelined on one connection wait at the till, not in memory',
  async () => {
    const text = JSON.stringify(Array.from({ length: 1_000 }, () => sale(next(), { lines: 4 })));
    const before = rssBytes();
    let answers = 0;
    let highest = 0;
    const count = 100;
    const { hostname, port } = new URL(agent.url);
    const socket = connect(Number(port), hostname);
    socket.on('data', (chunk) => {
      answers += chunk.toString('latin1').split('HTTP/1.1 200').length - 1;
      highest = Math.max(highest, rssBytes());
    });
    for (let i = 0; i < count; i++) socket.write(`${head}content-length: ${text.length}\r\n\r\n${text}`);
    await eventually(() => (answers === count ? true : undefined), 'all are answered');
    socket.destroy();
    expect(highest - before).toBeLessThan(64 * 1024 * 1024);
  },
  60_000,
);

it('bad input B3: a body that is too slow is 408, and the agent closes the connection', async () => {
  const began = performance.now();
  const answer = await byHand((send) => send(`${head}content-length: 100\r\n\r\n{`));
  expect(answer).toContain('408');
  expect(answer).toContain('too-slow');
  expect(performance.now() - began).toBeLessThan(18_000);
}, 30_000);

it.each([
  ['above 2^53', '9007199254740993'],
  ['beyond all numbers', '1e400'],
  ['with a fraction', '0.30000000000000004'],
  ['as a text', '"199"'],
  ['as 1e3 in a text', '"1e3"'],
])('bad input B5: an amount %s is 422', (_, amount) =>
  isRefused(saleWith('"extendedAmount":199', `"extendedAmount":${amount}`), 422, 'schema'),
);

it('bad input B5: minus zero is stored as zero', async () => {
  const text = saleWith(
    '"totals":',
    '"taxes":[{"taxCode":"A","rate":"0","gross":-0,"net":0,"tax":0}],"totals":',
  );
  expect((await agent.post(text)).status).toBe(201);
  expect(await storedText(JSON.parse(text).id)).toContain('"gross":0,');
});

it.each(['"NaN"', '"Infinity"', '"1e3"', '1', '"1,5"', '"0.0001"', '""'])(
  'bad input B6: %s as a quantity is 422',
  (quantity) => isRefused(saleWith('"quantity":"1"', `"quantity":${quantity}`), 422, 'schema'),
);

it.each([
  'infinity',
  '+275760-09-13T00:00:00Z',
  '2026-02-30T10:00:00Z',
  '2026-11-20T10:00:00',
  '2026-06-30T23:59:60Z',
  '2026-11-20 10:00:00Z',
  '2026-11-20T25:00:00Z',
])('bad input B7: the time %s is 422', (time) => isRefused({ ...sale(next()), time }, 422, 'schema'));

it('bad input B7: a business day that does not exist is 422', () => {
  const text = JSON.stringify(sale(next())).replaceAll('2026-11-20', '2026-02-30');
  return isRefused(text, 422, 'schema');
});

it('bad input B7: a time in 1970 is accepted as it is', async () => {
  const old = { ...sale(next()), time: '1970-01-01T00:00:00Z' };
  expect((await agent.post(old)).status).toBe(201);
  expect(await storedText(old.id)).toContain('"time":"1970-01-01T00:00:00Z"');
});

it('bad input B9: of a duplicate key the last value is stored, once, and the till can repeat the event', async () => {
  const text = saleWith('"quantity":"1"', '"quantity":"1000","quantity":"1"');
  expect((await agent.post(text)).status).toBe(201);
  expect((await agent.post(JSON.parse(text))).status).toBe(200);
  expect((await storedText(JSON.parse(text).id)).match(/"quantity"/g)).toHaveLength(1);
});

it.each(['__proto__', 'constructor', 'prototype', 'customerName'])(
  'bad input B10: the unknown field %s is 422',
  async (key) => {
    const field = `"${key}":{"polluted":"yes"}`;
    for (const before of ['"currency":', '"specversion":', '"lineNumber":', '"storeId":', '"gross":'])
      await isRefused(saleWith(before, `${field},${before}`), 422, 'schema');
  },
);

it.each([
  ['NUL', 'a\\u0000b'],
  ['a lone high surrogate', '\\ud800'],
  ['a lone low surrogate', 'x\\udfff'],
  ['NUL after a backslash', '\\\\\\u0000'],
])('bad input B11: %s in a text is 422', (_, text) =>
  isRefused(saleWith('"currency"', `"receiptNumber":"${text}","currency"`), 422, 'bad-text'),
);

it.each([
  ['an emoji', '🧾'],
  ['a right-to-left mark', 'a\u200fb'],
  ['a decomposed letter', 'e\u0301'],
  ['a backslash before u0000', '\\u0000'],
])('bad input B11: %s is ordinary text and arrives unchanged', async (_, note) => {
  const event = sale(next(), { note });
  expect((await agent.post(event)).status).toBe(201);
  expect(JSON.parse(await storedText(event.id)).data.receiptNumber).toBe(note);
});

const withTenders = (tenders: string) => saleWith('[{"tenderType":"CASH","amount":199}]', tenders);

it('bad input B31: cash rounding without its tender is 422, and the hint names the tender', async () => {
  const answer = await agent.post(withTenders('[{"tenderType":"CASH","amount":200}]'));
  expect([answer.status, answer.json.error]).toMatchObject([
    422,
    { code: 'tenders-differ', where: 'data.tenders', hint: expect.stringContaining('"ROUNDING"') },
  ]);
  const rounded = withTenders('[{"tenderType":"CASH","amount":200},{"tenderType":"ROUNDING","amount":-1}]');
  expect((await agent.post(rounded)).status).toBe(201);
});

it('bad input B32: a coupon is 422 as goods, and accepted as what it is', async () => {
  const coupon = (itemType: string) =>
    saleWith(
      '"lines":[',
      `"lines":[{"lineNumber":9,"lineType":"SALE",${itemType}"item":{"itemId":"C"},"quantity":"0","extendedAmount":-200},`,
    );
  const answer = await agent.post(coupon(''));
  expect([answer.status, answer.json.error]).toMatchObject([
    422,
    { code: 'line-sign', where: 'data.lines.0', hint: expect.stringContaining('itemType') },
  ]);
  expect((await agent.post(coupon('"itemType":"COUPON",'))).status).toBe(201);
});

it('bad input B33: a scale label without an item of its own is 422', () =>
  isRefused(
    saleWith(
      /"item":\{[^}]*\}/.exec(JSON.stringify(sale(1)))?.[0] as string,
      '"item":{"gtin":"02071234005008"}',
    ),
    422,
    'scale-label',
  ));

it.each(['9007199254740993', '19.00', '{"a":1,"a":2}', '{"__proto__":1}'])(
  'bad input B34: fiscal data with %s are 422, because they would not arrive as they were sent',
  (value) => isRefused(saleWith('"currency"', `"fiscal":{"tse":${value}},"currency"`), 422, 'not-kept'),
);

it('bad input B34: fiscal data that JSON keeps arrive byte for byte, beside an event that is refused', async () => {
  const fiscal = '{"counter":"9007199254740993","rate":"19.00","serial":7,"share":0.25}';
  const kept = saleWith('"currency"', `"fiscal":${fiscal},"currency"`);
  const lost = saleWith('"currency"', '"fiscal":{"rate":7.10},"currency"');
  const { json } = await agent.post(`[${lost},${kept}]`);
  expect(json.results).toMatchObject([
    { outcome: 'refused', error: { code: 'not-kept', where: 'data.fiscal.rate' } },
    { outcome: 'accepted' },
  ]);
  expect(await storedText(JSON.parse(kept).id)).toContain(`"fiscal":${fiscal}`);
});

it('bad input B35: an item id in another Unicode form or with blanks around it is stored in its one form', async () => {
  const text = saleWith(
    /"itemId":"[^"]*"/.exec(JSON.stringify(sale(1)))?.[0] as string,
    '"itemId":" cafe\u0301\u00a0"',
  );
  expect((await agent.post(text)).status).toBe(201);
  expect(await storedText(JSON.parse(text).id)).toContain('"itemId":"caf\u00e9"');
  // The till repeats what it sent.
  expect((await agent.post(text)).status).toBe(200);
});

it('bad input B12: the same event again is a duplicate with the same answer', async () => {
  const event = sale(next());
  const first = await agent.post(event);
  expect(first.status).toBe(201);
  const again = await agent.post({ ...event, dataclassification: 'confidential' });
  expect(again.status).toBe(200);
  expect(again.json).toEqual({ ...first.json, outcome: 'duplicate' });
});

it('bad input B13: different content under the same id is 409, and the first content stays', async () => {
  const event = sale(next(), { note: 'first' });
  await agent.post(event);
  await isRefused({ ...event, data: { ...event.data, receiptNumber: 'second' } }, 409, 'content-conflict');
  expect(await storedText(event.id)).toContain('"receiptNumber":"first"');
});

it('an event of another site is refused', () =>
  isRefused(sale(next(), { site: 'store-0002' }), 422, 'site-mismatch'));

it.each([
  'urn:x-retail:site:store-9999:ws:till-77',
  `urn:x-retail:site:${testSite}:ws:till-77`,
  'urn:x-retail:site:store-9999:ws:ws-1',
  `urn:x-retail:site:${testSite}:wh:ws-1`,
])('an event whose source is %s although its data are of another site or till is refused', (source) =>
  isRefused({ ...sale(next()), source }, 422, 'source-mismatch'),
);
it('an unknown event type is refused', () =>
  isRefused({ ...sale(next()), type: 'org.branchline.pos.coupon.v1' }, 422, 'unknown-type'));
it('an unknown currency is refused', () => isRefused(saleWith('"EUR"', '"EUX"'), 422, 'unknown-currency'));
it('an id that does not fit the transaction is refused', () =>
  isRefused({ ...sale(next()), id: 'ws-1:2026-11-20:1' }, 422, 'id-mismatch'));
it('an event above the size limit is refused', () =>
  isRefused(sale(next(), { lines: 800 }), 413, 'event-too-large'));
it('a body of a megabyte is refused', () => isRefused(`"${'x'.repeat(1024 * 1024 - 10)}"`, 400, 'not-json'));

it("another recorder's recordedtime is not kept", async () => {
  const event = { ...sale(next()), recordedtime: '2020-01-01T00:00:00Z' };
  expect((await agent.post(event)).status).toBe(201);
  const text = await storedText(event.id);
  expect(text.match(/"recordedtime"/g)).toHaveLength(1);
  expect(text).not.toContain('2020-01-01');
});

it('another address, method or content type is refused', async () => {
  const ask = async (path: string, init: RequestInit) => (await fetch(`${agent.url}${path}`, init)).status;
  expect(await ask('/', {})).toBe(404);
  expect(await ask('/v1/events', {})).toBe(405);
  expect(await ask('/v1/status', { method: 'POST' })).toBe(405);
  expect(await ask('/v1/events', { method: 'POST', body: JSON.stringify(sale(next())) })).toBe(415);
});

it('bad input B19: wrong receipts and marks change nothing and are counted', async () => {
  await eventually(async () => ((await agent.status()).pending === 0 ? true : undefined), 'all is recorded');
  const before = await agent.status();
  const source = before.highestBySource[0] as { stream: 'pos' | 'stock'; epoch: string; highest: number };
  const receipt = { v: 1, kind: 'recorded', stream: source.stream, epoch: source.epoch, recordedAt: 1 };
  const mark = {
    v: 1,
    kind: 'applied-mark',
    stream: source.stream,
    missing: [] as [number, number][],
    readTo: 1,
  } as const;
  bridge.receipt(me, { ...receipt, ranges: [[1, source.highest + 1]] });
  bridge.receipt(me, { ...receipt, ranges: [[1, 1]], epoch: '44444444-4444-4444-8444-444444444444' });
  bridge.control(me, { ...mark, epoch: '44444444-4444-4444-8444-444444444444', appliedTo: 1, highest: 1 });
  for (const wrong of [
    { ...receipt, ranges: [[-1, 5]] },
    { ...receipt, ranges: [[5, 1]] },
    { ...receipt, ranges: Array.from({ length: 65 }, () => [1, 1]) },
    { kind: 'recorded' },
    'x'.repeat(100_000),
    '[]',
  ])
    bridge.receipt(me, wrong);
  const after = await eventually(async () => {
    const status = await agent.status();
    return status.alarms >= before.alarms + 3 && status.unreadable >= before.unreadable + 6
      ? status
      : undefined;
  }, 'all of them are counted');
  expect(after.highestBySource).toEqual(before.highestBySource);
});

it('bad input B29: an unknown setting, a wrong one, and an exposed intake without a token are named at start-up', async () => {
  const good = [
    '--site',
    'store-0001',
    '--data-dir',
    join(directory, 'other'),
    '--mqtt',
    'mqtt://127.0.0.1:1',
  ];
  const failsWith = async (flags: string[]) => {
    const { process: child, log } = spawnAgent([...good, ...flags]);
    await eventually(() => child.exitCode ?? undefined, 'the agent ends');
    expect(child.exitCode).not.toBe(0);
    return log();
  };
  expect(await failsWith(['--sight', 'x'])).toContain('--sight');
  expect(await failsWith(['--window-frames', 'many'])).toContain('BRANCHLINE_WINDOW_FRAMES');
  expect(await failsWith(['--intake-host', '0.0.0.0', '--intake-port', '0'])).toContain('intakeToken');
}, 60_000);

it('bad input B30: an empty batch is an empty answer, one bad event of a thousand is one refusal', async () => {
  expect((await agent.post([])).json).toEqual({ results: [] });
  const events = Array.from({ length: 1_000 }, (_, i) => ({ ...movement(i) }));
  (events[500] as { type: string }).type = 'org.branchline.stock.unknown.v1';
  const before = await accepted();
  const answer = await agent.post(events);
  expect(answer.status).toBe(200);
  expect(answer.json.results.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(999);
  expect(answer.json.results[500]).toMatchObject({ outcome: 'refused', error: { code: 'unknown-type' } });
  expect(await accepted()).toBe(before + 999);
});

it('bad input B30: a batch of more events than the limit is 413', () =>
  isRefused(`[${'0,'.repeat(1_000)}0]`, 413, 'too-many-events'));
it('bad input B30: a batch of a million is 413', async () => {
  const answer = await byHand((send) => send(`${head}content-length: 2000001\r\n\r\n[0`));
  expect(answer).toContain('413');
});
