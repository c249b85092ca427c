import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseSpeed, type Speed } from '@branchline/simulators/online-retail/pace.ts';

export const replayHelp = `Usage: npm run replay -- --data FOLDER [options]

Replays the Online Retail data set through the whole path on this machine: the files become transactions and stock movements,
agents accept them, MQTT, Kafka and the hub carry them into PostgreSQL. Then the books are compared with the files, per
day and in all. Ends with 0 when every figure is equal, with 1 when one is not, with 2 when the replay cannot be made.

  --data FOLDER      the folder with the CSV files, one per day, as 2010-12-01.csv (required)
  --sites N          number of stores, 1 to 32 [4]. The data has no stores: invoices are spread over invented ones by
                     a hash (FNV-1a, 32 bit) of the invoice number, modulo N
  --speed S          max, or how many times faster than it happened: 3600 tells an hour in a second [max]
  --broker NAME      aedes, or mosquitto where Debian's is installed [aedes]
  --keep             leave everything running afterwards, to look at, until Ctrl-C; starts the dashboard as well
  --json FILE        also write the comparison to FILE, for machines
  --help             this text

The data set is "Online Retail" of the UCI Machine Learning Repository (CC BY 4.0); as one CSV file per day it is in
databricks/Spark-The-Definitive-Guide on GitHub, data/retail-data/by-day. The first twelve days of December 2010 are
what is tested. A row that has no exact place in the books, such as a line that is not a whole number of pence, is named
with its file and line before anything is started. No customer number leaves the files.

Everything is started for this run, on a data folder of its own: .branchline/replay, which is emptied at each start.
Where the components can be reached while it runs: .branchline/replay/run.json.

  npm run replay -- --data ../shared/data/online-retail
  npm run replay -- --data ../shared/data/online-retail --sites 8 --speed 36000 --keep
`;

export type ReplayArguments = {
  data: string;
  sites: number;
  speed: Speed;
  broker: 'aedes' | 'mosquitto';
  keep: boolean;
  json: string | undefined;
};

/** The arguments, 'help', or one line that says what is wrong with them. */
export const readArguments = (argv: string[]): ReplayArguments | 'help' | { wrong: string } => {
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({
      args: argv,
      options: {
        data: { type: 'string' },
        sites: { type: 'string', default: '4' },
        speed: { type: 'string', default: 'max' },
        broker: { type: 'string', default: 'aedes' },
        keep: { type: 'boolean', default: false },
        json: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { wrong: (error as Error).message };
  }
  if (values.help === true) return 'help';
  const { data, broker, json } = values as Record<'data' | 'broker' | 'json', string | undefined>;
  const sites = Number(values.sites);
  const speed = parseSpeed(String(values.speed));
  if (data === undefined) return { wrong: '--data FOLDER is missing' };
  if (!Number.isInteger(sites) || sites < 1 || sites > 32)
    return { wrong: `--sites ${values.sites}: not a whole number from 1 to 32` };
  if (speed === undefined) return { wrong: `--speed ${values.speed}: neither max nor a factor such as 3600` };
  if (broker !== 'aedes' && broker !== 'mosquitto')
    return { wrong: `--broker ${broker}: neither aedes nor mosquitto` };
  return {
    data: resolve(data),
    sites,
    speed,
    broker,
    keep: values.keep === true,
    json: json === undefined ? undefined : resolve(json),
  };
};
