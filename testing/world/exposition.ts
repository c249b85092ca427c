/**
 * A strict parser of Prometheus' text format 0.0.4: a malformed line, a sample before its type, a repeated sample and a
 * histogram that does not add up are errors.
 */
export type Scraped = {
  type: string;
  help: string;
  /** By name and labels as written: `sales_total{stream="pos"}`. */
  samples: Map<string, number>;
};

const numberOf = (text: string): number =>
  text === '+Inf' ? Number.POSITIVE_INFINITY : text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);

const sampleLine =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (\+Inf|-Inf|NaN|[-+0-9.e]+)$/;

const familyOf = (families: Map<string, Scraped>, name: string): Scraped | undefined => {
  const own = families.get(name);
  if (own !== undefined) return own;
  const whole = families.get(name.replace(/_(bucket|sum|count)$/, ''));
  return whole?.type === 'histogram' ? whole : undefined;
};

export const readExposition = (text: string): Map<string, Scraped> => {
  if (!text.endsWith('\n')) throw new Error('no line feed at the end');
  const families = new Map<string, Scraped>();
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP')
      families.set(name as string, { type: '', help: rest as string, samples: new Map() });
    else if (keyword === 'TYPE') (families.get(name as string) as Scraped).type = rest as string;
    else {
      const [, sample, labels = '', value] = sampleLine.exec(line) ?? [];
      const family = sample === undefined ? undefined : familyOf(families, sample);
      if (family === undefined || value === undefined) throw new Error(`malformed: ${line}`);
      if (family.samples.has(sample + labels)) throw new Error(`repeated: ${line}`);
      family.samples.set(sample + labels, numberOf(value));
    }
  }
  for (const [name, { type, samples }] of families) if (type === 'histogram') checkHistogram(name, samples);
  return families;
};

const checkHistogram = (name: string, samples: ReadonlyMap<string, number>): void => {
  const buckets = [...samples]
    .filter(([sample]) => sample.startsWith(`${name}_bucket`))
    .map(([, value]) => value);
  const rises = buckets.every((value, i) => i === 0 || value >= (buckets[i - 1] as number));
  if (!rises || buckets.at(-1) !== samples.get(`${name}_count`) || !samples.has(`${name}_sum`))
    throw new Error(`the histogram ${name} does not add up`);
};
