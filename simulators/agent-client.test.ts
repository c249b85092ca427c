import type { TransactionEvent } from '@branchline/contracts/parse.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import { type IntakeForTests, startIntakeForTests } from '@branchline/testing/world/intake-double.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type AgentClient,
  createAgentClient,
  EventsRefused,
  RequestRefused,
  requestsOf,
} from './agent-client.ts';
import { createTill } from './till/till.ts';

const transactions = (count: number) => {
  const startedAt = Date.parse('2026-03-02T11:00:00Z');
  const till = createTill({
    site: 'store-0001',
    workstationId: 'till-1',
    zone: 'Europe/Berlin',
    currency: 'EUR',
    startedAt,
    random: seededRandom(1),
  });
  return Array.from({ length: count }, (_, i) => till.next(startedAt + i));
};

const patient = { timeout: 10_000 };
let intake: IntakeForTests;
let client: AgentClient;
const connect = (token?: string) =>
  createAgentClient({
    url: intake.url,
    token,
    inFlightMax: 2,
    answerMsMax: 2_000,
    backoffBaseMs: 2,
    backoffCapMs: 10,
    random: seededRandom(1),
  });

beforeEach(async () => {
  intake = await startIntakeForTests();
  client = connect();
});
afterEach(async () => {
  client.close();
  await intake.close();
});

describe('agent client', () => {
  it('gives one result per event in the order they were sent', async () => {
    const events = transactions(20);
    const results = await client.send(events);
    expect(results.map(({ id, outcome }) => [id, outcome])).toEqual(events.map(({ id }) => [id, 'accepted']));
    expect((await client.send(events)).every(({ outcome }) => outcome === 'duplicate')).toBe(true);
  });

  it('sends the same events again after every temporary mishap, and loses and duplicates none', async () => {
    intake.mishaps = [
      'hangs up',
      'stores, then hangs up',
      'stopping',
      'says nothing',
      'answers half',
      'takes every second',
      'takes every second',
    ];
    const events = transactions(9);
    const results = await client.send(events);
    expect([...intake.taken.keys()]).toEqual(events.map(({ id }) => id));
    expect(results.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(client.repeated()).toBe(7);
  });

  it('repeats only the events that are still missing', async () => {
    intake.mishaps = ['takes every second'];
    const results = await client.send(transactions(8));
    expect(intake.requests).toBe(2);
    expect(results.every(({ outcome }) => outcome === 'accepted')).toBe(true);
  });

  it('waits for an unavailable agent, however often that fails, and continues when it is back', async () => {
    await intake.close();
    const sending = client.send(transactions(3));
    await expect.poll(() => client.repeated(), patient).toBeGreaterThan(10);
    intake = await startIntakeForTests({ port: Number(new URL(intake.url).port) });
    expect((await sending).length).toBe(3);
    expect(intake.taken.size).toBe(3);
  });

  it('reports permanently refused events once all others are settled', async () => {
    const events = transactions(3);
    const broken = { ...events[1], id: 'not:the:transaction' } as TransactionEvent;
    intake.mishaps = ['takes every second'];
    const sending = client.send([events[0], broken, events[2]] as TransactionEvent[]);
    const error = await sending.then(
      () => undefined,
      (reason: unknown) => reason as EventsRefused,
    );
    expect(error).toBeInstanceOf(EventsRefused);
    expect(error?.refused.map(({ error: { code } }) => code)).toEqual(['id-mismatch']);
    expect(error?.results.map(({ outcome }) => outcome)).toEqual(['accepted', 'refused', 'accepted']);
    expect(intake.taken.size).toBe(2);
  });

  it('reports a request that is refused as a whole, and sends its token', async () => {
    await intake.close();
    intake = await startIntakeForTests({ token: 'open-sesame' });
    client = connect('wrong');
    await expect(client.send(transactions(1))).rejects.toThrow(RequestRefused);
    client.close();
    client = connect('open-sesame');
    expect((await client.send(transactions(1))).length).toBe(1);
  });

  it('ends when the signal says so, not before', async () => {
    intake.mishaps = Array.from({ length: 1_000 }, () => 'hangs up' as const);
    const stop = new AbortController();
    const sending = client.send(transactions(1), stop.signal);
    await expect.poll(() => client.repeated(), patient).toBeGreaterThan(5);
    stop.abort(new Error('closing time'));
    await expect(sending).rejects.toThrow(/closing time|aborted/);
  });

  it('keeps its connections alive, and never exceeds their limit', async () => {
    const events = transactions(40);
    await Promise.all(events.map((event) => client.send([event])));
    expect(intake.requests).toBe(40);
    expect(intake.connections).toBeLessThanOrEqual(2);
    expect(intake.taken.size).toBe(40);
  });
});

describe('requests', () => {
  it('stay within the limits of events and bytes, send a larger event alone, and keep order and completeness', () => {
    const events = transactions(50);
    const cut = [...requestsOf(events, 7, 4_000)];
    expect(cut.flat()).toEqual(events);
    for (const request of cut) {
      expect(request.length).toBeLessThanOrEqual(7);
      if (request.length > 1) expect(JSON.stringify(request).length).toBeLessThanOrEqual(4_002);
    }
    expect([...requestsOf([])]).toEqual([]);
  });
});
