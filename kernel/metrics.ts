/**
 * Metrics in Prometheus' text format 0.0.4. There is no registry to write to: counters and states already exist in the code
 * that needs them, and a scrape reads them there. Only distributions are kept here.
 *
 * Format: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export type Labels = Readonly<Record<string, string>>;
export type Sample = { labels?: Labels; value: number };
export type Family = {
  name: string;
  type: 'counter' | 'gauge' | 'summary' | 'histogram';
  help: string;
  /** `suffix` is for the parts of a histogram. */
  samples: readonly (Sample & { suffix?: '_bucket' | '_sum' | '_count' })[];
};

export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

type Values = number | readonly Sample[];
const samplesOf = (values: Values): readonly Sample[] =>
  typeof values === 'number' ? [{ value: values }] : values;

/** Never falls while the process runs; the name ends in `_total`. */
export const counter = (name: string, help: string, values: Values): Family => ({
  name,
  type: 'counter',
  help,
  samples: samplesOf(values),
});

export const gauge = (name: string, help: string, values: Values): Family => ({
  name,
  type: 'gauge',
  help,
  samples: samplesOf(values),
});

/** Quantiles that were computed elsewhere, as pairs of the rank (0 … 1) and the value. */
export const summary = (
  name: string,
  help: string,
  values: readonly (readonly [quantile: number, value: number])[],
): Family => ({
  name,
  type: 'summary',
  help,
  samples: values.map(([quantile, value]) => ({ labels: { quantile: String(quantile) }, value })),
});

/** One sample per entry, with its key as the label. */
export const byLabel = (label: string, values: Readonly<Record<string, number>>): Sample[] =>
  Object.entries(values).map(([text, value]) => ({ labels: { [label]: text }, value }));

/** Upper bounds in seconds, for durations between a millisecond and ten seconds. */
const secondsBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A distribution in fixed buckets, so its memory does not grow with the observations. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** `bounds` are ascending. A last bucket counts what exceeds them. */
  constructor(bounds: readonly number[] = secondsBounds) {
    this.#bounds = bounds;
    this.#counts = Array(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] as number)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += value;
  }

  family(name: string, help: string): Family {
    let count = 0;
    const buckets = this.#counts.map((inBucket, i) => {
      count += inBucket;
      const le = numberText(this.#bounds[i] ?? Number.POSITIVE_INFINITY);
      return { suffix: '_bucket', labels: { le }, value: count } as const;
    });
    return {
      name,
      type: 'histogram',
      help,
      samples: [...buckets, { suffix: '_sum', value: this.#sum }, { suffix: '_count', value: count }],
    };
  }
}

const numberText = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);

const helpText = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const labelText = (text: string): string => helpText(text).replaceAll('"', '\\"');

const labelsText = (labels: Labels = {}): string => {
  const pairs = Object.entries(labels).map(([name, text]) => {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) throw new Error(`${name} is not a label name`);
    return `${name}="${labelText(text)}"`;
  });
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
};

const checkName = ({ name, type }: Family): void => {
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) throw new Error(`${name} is not a metric name`);
  if ((type === 'counter') !== name.endsWith('_total'))
    throw new Error(`${name} is a ${type}: counters, and only they, end in _total`);
};

/** The text of one scrape. Throws for a name that is duplicate or that Prometheus would reject: both are bugs. */
export const expose = (families: readonly Family[]): string => {
  const seen = new Set<string>();
  const lines = families.flatMap((family) => {
    const { name, type, help, samples } = family;
    checkName(family);
    if (seen.has(name)) throw new Error(`${name} is a duplicate`);
    seen.add(name);
    return [
      `# HELP ${name} ${helpText(help)}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(
        ({ suffix = '', labels, value }) => `${name}${suffix}${labelsText(labels)} ${numberText(value)}`,
      ),
    ];
  });
  return `${lines.join('\n')}\n`;
};
