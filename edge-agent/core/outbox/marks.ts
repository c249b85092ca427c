import type { AppliedMark } from '@branchline/contracts/downlink.ts';
import { sendAgain } from './flights.ts';
import type { Source } from './source.ts';
import { alarm, closeEpoch, known, type Outbox, type OutboxEffect } from './state.ts';

/** The hub's applied mark: what may be released, and what it lacks although a receipt vouched for it. */

/** The hub reads Kafka's broker time, the bridge its own clock; a mark settles what was recorded this much before it. */
const settleSlackMs = 5_000;

export const onMark = (outbox: Outbox, mark: AppliedMark, effects: OutboxEffect[]) => {
  const source = known(outbox, mark.stream, mark.epoch, [], effects);
  if (source === undefined) return;
  if (mark.highest > source.highest || mark.appliedTo > source.highest) {
    const detail = `the hub has seq ${Math.max(mark.highest, mark.appliedTo)}, this database ends at ${source.highest}`;
    alarm(outbox, effects, 'lost-tail', source, detail);
    // In this session every seq was assigned here, so the mark is not believed, and E3 asks for a new epoch. An epoch
    // of an earlier session may have gone on in a copy of this database: its events up to here are the same ones.
    if (source.ofThisSession) return closeEpoch(source, effects);
  }
  const appliedTo = Math.min(mark.appliedTo, source.highest);
  if (appliedTo !== source.appliedTo) {
    source.appliedTo = appliedTo;
    outbox.changed.add(source);
  }
  sendMissing(outbox, source, mark, effects);
};

/** Of what the hub misses, that which it has surely read past; the rest may still be on its way through Kafka. */
const sendMissing = (outbox: Outbox, source: Source, mark: AppliedMark, effects: OutboxEffect[]): void => {
  const moment = mark.readTo - settleSlackMs;
  const unknownBefore = outbox.firstReceiptAt ?? outbox.settings.bootAt;
  for (const [first, last] of mark.missing) {
    const lost = source.recorded
      .within(Math.max(first, source.appliedTo + 1), Math.min(last, source.highest))
      .flatMap(([from, to]) => source.times.settled(from, to, moment, unknownBefore));
    for (const [from, to] of lost) {
      if (from <= source.releasedTo)
        alarm(outbox, effects, 'missing-but-released', source, `seqs ${from} to ${to} are not here any more`);
      if (to <= source.releasedTo) continue;
      alarm(outbox, effects, 'lost-behind-receipt', source, `seqs ${from} to ${to} are sent again`);
      sendAgain(outbox, source, from, to);
    }
  }
};
