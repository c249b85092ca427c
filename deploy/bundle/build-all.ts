import { join } from 'node:path';
import { type Built, buildService, type Platform, platforms } from './build-service.ts';
import { services } from './services.ts';
import { writeStartScript } from './start-script.ts';

export const thisPlatform = `${process.platform}-${process.arch}`;

/** Undefined for a platform without an addon of better-sqlite3. */
export const platformOf = (text: string): Platform | undefined => platforms.find((known) => known === text);

/** Builds each service into the folder of its name below `out`. */
export const buildAll = async (out: string, platform: Platform): Promise<Built[]> => {
  const built: Built[] = [];
  for (const plan of services) {
    built.push(await buildService(plan, join(out, plan.name), platform));
    if (plan.runtime !== undefined) writeStartScript(join(out, plan.name), plan.name, plan.runtime);
  }
  return built;
};
