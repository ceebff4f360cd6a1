/** `nightstill doctor`: what is installed, whether it answers, what would be used and why. Changes nothing. */
import { parseArgs } from 'node:util';
import { readEnvironment, type Environment } from '../config/environment.js';
import { openObjectStore } from '../storage/index.js';
import { describeDiagnosis, diagnose, type DoctorCheck, type Finding } from '../tools/doctor.js';
import { machineChecks } from '../tools/doctor-machine.js';
import { describeFound, partChecks } from '../tools/doctor-parts.js';
import { findPart, type SetupContext } from '../tools/part.js';
import { silentReporter } from '../tools/progress.js';
import { temporalServer } from '../tools/temporal-server.js';
import { exitStatus, type Command } from './command.js';

const answerTimeoutMs = 10_000;

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'say what is installed, whether it answers, and what would be used and why',
  help: `usage: nightstill doctor [--json]

Looks at this machine and changes nothing.

  --json   the same for machines: { healthy, checks: [{ name, required, status, detail, why, remedy }] }

Exit status: 0 everything that is required is there, 1 something is missing or does not answer.`,
  run: async (arguments_, variables) => {
    const { values } = parseArgs({ args: [...arguments_], options: { json: { type: 'boolean', default: false } } });
    const environment = readEnvironment(variables);
    const diagnosis = await diagnose(doctorChecks({ environment, variables, reporter: silentReporter, verify: false }));
    process.stdout.write(`${values.json ? JSON.stringify(diagnosis, null, 2) : describeDiagnosis(diagnosis)}\n`);
    return diagnosis.healthy ? exitStatus.ok : exitStatus.systemFault;
  },
};

const doctorChecks = (context: SetupContext): readonly DoctorCheck[] => [
  ...machineChecks(context),
  { name: temporalServer.name, required: true, run: () => checkTemporal(context) },
  ...partChecks(context),
  {
    name: 'object store',
    required: context.environment.storeUrl !== undefined,
    run: () => checkStore(context.environment),
  },
];

/** A configured address is what workers will use: one that does not answer is a failure, whatever could be started. */
async function checkTemporal(context: SetupContext): Promise<Finding> {
  const { temporalAddress, temporalNamespace } = context.environment;
  const outcome = await findPart(temporalServer, context);
  const finding = describeFound(outcome);
  if (temporalAddress === undefined) {
    return finding.status === 'ok' ? { ...finding, detail: `${finding.detail} (would be started)` } : finding;
  }
  const remedy = 'Start the server at TEMPORAL_ADDRESS, correct the address, or unset it.';
  const unreachable = outcome.refusals.find(({ source }) => source === 'TEMPORAL_ADDRESS');
  if (unreachable !== undefined)
    return { status: 'failed', detail: unreachable.why, why: 'TEMPORAL_ADDRESS is set', remedy };
  const { Connection } = await import('@temporalio/client');
  const connection = await Connection.connect({ address: temporalAddress, connectTimeout: answerTimeoutMs });
  try {
    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    await connection.workflowService.describeNamespace({ namespace: temporalNamespace });
    const detail = `server ${serverVersion} answers at ${temporalAddress}, namespace ${temporalNamespace}`;
    return { status: 'ok', detail, why: 'TEMPORAL_ADDRESS is set' };
  } finally {
    await connection.close();
  }
}

async function checkStore({ storeUrl }: Environment): Promise<Finding> {
  if (storeUrl === undefined) {
    const remedy = 'Set NIGHTSTILL_STORE for a store that plans need not name.';
    return {
      status: 'missing',
      detail: 'none configured',
      why: 'NIGHTSTILL_STORE is not set: a plan names its store',
      remedy,
    };
  }
  const store = await openObjectStore(storeUrl);
  try {
    const signal = AbortSignal.timeout(answerTimeoutMs);
    const objects = store.list('', { signal })[Symbol.asyncIterator]();
    const first = await objects.next();
    await objects.return?.();
    const detail = `${store.url} answers, ${first.done === true ? 'empty' : 'with objects in it'}`;
    return { status: 'ok', detail, why: 'NIGHTSTILL_STORE is set' };
  } finally {
    await store.close();
  }
}
