/** `nightstill doctor`: what is installed, whether it answers, what would be used and why. Changes nothing. */
import { readEnvironment, type Environment } from '../config/environment.js';
import { NightstillError } from '../config/errors.js';
import { openObjectStore } from '../storage/index.js';
import { describeDiagnosis, diagnose, type DoctorCheck, type Finding } from '../tools/doctor.js';
import { machineChecks } from '../tools/doctor-machine.js';
import { partChecks } from '../tools/doctor-parts.js';
import type { SetupContext } from '../tools/part.js';
import { silentReporter } from '../tools/progress.js';
import { defineCommand, exitStatus } from './command.js';
import { temporalChecks } from './doctor-temporal.js';

const answerTimeoutMs = 10_000;

export const doctorCommand = defineCommand({
  name: 'doctor',
  group: 'machines',
  summary: 'say what is installed, whether it answers, and what would be used and why',
  about: 'Looks at this machine and changes nothing.',
  flags: {
    json: { summary: 'the same for machines: { healthy, checks: [{ name, required, status, detail, why, remedy }] }' },
  },
  exits: { 0: 'everything that is required is there', 1: 'something is missing or does not answer' },
  run: async ({ flags, variables }) => {
    const environment = readEnvironment(variables);
    const diagnosis = await diagnose(doctorChecks({ environment, variables, reporter: silentReporter, verify: false }));
    process.stdout.write(`${flags.json ? JSON.stringify(diagnosis, null, 2) : describeDiagnosis(diagnosis)}\n`);
    return diagnosis.healthy ? exitStatus.ok : exitStatus.systemFault;
  },
});

const doctorChecks = (context: SetupContext): readonly DoctorCheck[] => [
  ...machineChecks(context),
  ...temporalChecks(context),
  ...partChecks(context),
  {
    name: 'object store',
    required: context.environment.storeUrl !== undefined,
    run: () => checkStore(context.environment),
  },
];

async function checkStore({ storeUrl }: Environment): Promise<Finding> {
  if (storeUrl === undefined) {
    return {
      status: 'missing',
      detail: 'none to look at',
      why: 'NIGHTSTILL_STORE is not set; a run uses the store that its plan names',
      remedy: 'Set NIGHTSTILL_STORE to the store of your plans to have it checked.',
    };
  }
  const signal = AbortSignal.timeout(answerTimeoutMs);
  try {
    return await lookInto(storeUrl, signal);
  } catch (cause) {
    if (!signal.aborted) throw cause;
    const seconds = answerTimeoutMs / 1000;
    throw new NightstillError('store-unavailable', `expected an answer within ${seconds} s, found none`, { cause });
  }
}

async function lookInto(storeUrl: string, signal: AbortSignal): Promise<Finding> {
  const store = await openObjectStore(storeUrl, { signal });
  try {
    const objects = store.list('', { signal })[Symbol.asyncIterator]();
    const first = await objects.next();
    await objects.return?.();
    const detail = `${store.url} answers, ${first.done === true ? 'empty' : 'with objects in it'}`;
    return { status: 'ok', detail, why: 'NIGHTSTILL_STORE is set' };
  } finally {
    await store.close();
  }
}
