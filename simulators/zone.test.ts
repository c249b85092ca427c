import { describe, expect, it } from 'vitest';
import { instantOfLocal, instantText, localDay, msIntoDay, offsetMinutesAt } from './zone.ts';

const at = (text: string) => Date.parse(text);

describe('zone', () => {
  it('knows summer and winter, whole hours, half hours and zones west of Greenwich', () => {
    expect(offsetMinutesAt('Europe/London', at('2010-12-01T08:26:00Z'))).toBe(0);
    expect(offsetMinutesAt('Europe/London', at('2010-07-01T08:26:00Z'))).toBe(60);
    expect(offsetMinutesAt('Asia/Kolkata', at('2010-07-01T08:26:00Z'))).toBe(330);
    expect(offsetMinutesAt('America/St_Johns', at('2024-01-15T12:00:00Z'))).toBe(-210);
  });

  it('changes the offset at the very minute the clocks change', () => {
    const change = at('2024-03-31T01:00:00Z');
    expect(offsetMinutesAt('Europe/Berlin', change - 1)).toBe(60);
    expect(offsetMinutesAt('Europe/Berlin', change)).toBe(120);
  });

  it('writes the wall clock with the offset that held, and reads the same instant back', () => {
    const instant = at('2024-07-01T22:30:00.250Z');
    expect(instantText('Europe/Berlin', instant)).toBe('2024-07-02T00:30:00.250+02:00');
    expect(Date.parse(instantText('America/St_Johns', instant))).toBe(instant);
    expect(localDay('Europe/Berlin', instant)).toBe('2024-07-02');
  });

  it('takes the first of two equal wall clocks and the old offset for a skipped one', () => {
    expect(instantOfLocal('Europe/London', at('2010-10-31T01:30:00Z'))).toBe(at('2010-10-31T00:30:00Z'));
    expect(instantOfLocal('Europe/Berlin', at('2024-10-27T02:30:00Z'))).toBe(at('2024-10-27T00:30:00Z'));
    expect(instantOfLocal('Europe/Berlin', at('2024-03-31T02:30:00Z'))).toBe(at('2024-03-31T01:30:00Z'));
    expect(instantOfLocal('Europe/London', at('2010-12-01T08:26:00Z'))).toBe(at('2010-12-01T08:26:00Z'));
  });

  it('never steps back within a day of 25 hours', () => {
    const start = at('2024-10-26T22:00:00Z');
    expect(msIntoDay('Europe/Berlin', start)).toBe(0);
    expect(msIntoDay('Europe/Berlin', start + 24 * 3_600_000)).toBe(24 * 3_600_000);
    expect(msIntoDay('Europe/Berlin', start + 25 * 3_600_000)).toBe(0);
  });
});
