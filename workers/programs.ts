/** `nightstill/workers`: the programs that stages start as child processes, and what each is started with. */
import { fileURLToPath } from 'node:url';
import type { ChildPrograms } from '../activities/stage.js';
import type { StageInput } from '../config/plan.js';
import { deviceVariables, type Device } from './devices.js';

export { loadScorers } from './load-module.js';

const entryOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** What a `DistillationPlugin` of role `io` or `gpu` is given. Children that compute see all devices that this process sees. */
export const programs: ChildPrograms = programsOn();

/** The same, with children that compute on this device and see no other. */
export function programsOn(device?: Device): ChildPrograms {
  const environment = async ({ numerics }: StageInput): Promise<Record<string, string>> => {
    const { processSettings } = await import('../engine/index.js');
    return {
      ...definedOnly(process.env),
      ...processSettings({ threads: numerics?.threads ?? 1 }),
      ...(device !== undefined && deviceVariables(device)),
    };
  };
  return {
    importer: { entry: entryOf('./import-child.js') },
    trainer: { entry: entryOf('./trainer.js'), environment },
    answerer: { entry: entryOf('./answer-child.js'), environment },
    evaluator: { entry: entryOf('./evaluate-child.js'), environment },
    capturer: { entry: entryOf('./capture-child.js'), environment },
    asker: { entry: entryOf('./capture-endpoint-child.js') },
  };
}

const definedOnly = (variables: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined));
