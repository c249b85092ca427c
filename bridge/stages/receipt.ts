import type { Receipt } from '@branchline/contracts/downlink.ts';
import type { BranchAddress } from '@branchline/contracts/topics.ts';
import type { Counters } from '../core/counters.ts';
import type { Parcel } from '../core/parcel.ts';
import { Receipts } from '../core/receipts.ts';

/** Receipts within this time of each other become one message. */
const gatherMs = 3;
/** Delay before receipts that a congested link did not take are tried again. */
const retryMs = 100;
const sourcesMax = 20_000;

/** The last stage: confirms to each agent what Kafka has, merged; receipts are kept while the link is down. */
export const createReceiptStage = ({
  publish,
  counters,
}: {
  publish(to: BranchAddress, receipt: Receipt): boolean;
  counters: Counters;
}) => {
  const open = new Receipts({ sourcesMax });
  let timer: NodeJS.Timeout | undefined;

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    for (const { to, receipt } of open.take()) {
      if (publish(to, receipt)) {
        counters.receipts++;
      } else if (receipt.kind === 'recorded') {
        const { stream, epoch, ranges, recordedAt } = receipt;
        for (const [first, last] of ranges) open.add(to, { stream, epoch, first, last }, recordedAt);
      }
    }
    if (!open.isEmpty) timer = setTimeout(flush, retryMs);
  };

  const onRecorded = ({ from, confirms }: Parcel, at: number) => {
    if (from === undefined || confirms === undefined) return;
    open.add(from, confirms, at);
    timer ??= setTimeout(flush, gatherMs);
  };

  return {
    onRecorded,
    flush,
    /** One last attempt; agents send again what it does not confirm. */
    stop: () => {
      flush();
      clearTimeout(timer);
    },
  };
};
