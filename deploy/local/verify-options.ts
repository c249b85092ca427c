import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseSpeed, type Speed } from '@branchline/simulators/online-retail/pace.ts';

export const verifyHelp = `Usage: npm run verify -- --data FOLDER [options]

Checks that the whole path is exact, on real data and on this machine. It starts a stack of its own, turns the files of the
Online Retail data set into transactions and stock movements, hands them to the agents, and waits until MQTT, Kafka and the
hub have carried them into PostgreSQL. Then it compares the books with the files, per day and in total.

  --data FOLDER      folder with the CSV files, one per day, named like 2010-12-01.csv (required)
  --sites N          number of stores, 1 to 32 [4]. The data set has none: a hash (FNV-1a, 32 bit) of the invoice number,
                     modulo N, assigns each invoice to an invented store
  --speed S          max, or a factor: 3600 feeds an hour of sales per second [max]
  --broker NAME      aedes, or mosquitto where it is installed [aedes]
  --keep             keep everything running afterwards, with the dashboard, until Ctrl-C
  --json FILE        also write the comparison to FILE as JSON
  --help             show this text

Exit codes:
  0    every figure is equal
  1    a figure differs
  2    the check could not be made
  130  stopped by Ctrl-C

Examples:
  npm run verify -- --data ../online-retail
  npm run verify -- --data ../online-retail --sites 8 --speed 36000 --keep

The data set is "Online Retail" from the UCI Machine Learning Repository (CC BY 4.0). databricks/Spark-The-Definitive-Guide
on GitHub has it as one CSV file per day, in data/retail-data/by-day. The tests use the first twelve days of December 2010.
Before anything starts, every row goes through the agents' own checks; a row that they would refuse is reported with its file and
line. A line that is not a whole number of pence is rounded half away from zero; adjustments (invoice numbers with an A, or a
negative price) are not goods: their value counts, their quantity does not. Both are counted and printed. Customer numbers
never leave the files.

Each run has its own data folder, .branchline/verify, which is emptied at the start. While it runs, .branchline/verify/run.json
holds the addresses of its components.
`;

export type VerifyArguments = {
  data: string;
  sites: number;
  speed: Speed;
  broker: 'aedes' | 'mosquitto';
  keep: boolean;
  json: string | undefined;
};

/** The arguments, 'help', or one line that says what is wrong with them. */
export const readArguments = (argv: string[]): VerifyArguments | 'help' | { wrong: string } => {
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
