/** What doctor says of Temporal: the server that workers would use, and the packages that they are made of. */
import { createRequire } from 'node:module';
import { z } from 'zod';
import { readTemporalSettings, type TemporalSettings } from '../workers/temporal-settings.js';
import type { DoctorCheck, Finding } from '../tools/doctor.js';
import { describeFound } from '../tools/doctor-parts.js';
import { findPart, type SetupContext } from '../tools/part.js';
import { temporalServer } from '../tools/temporal-server.js';

const answerTimeoutMs = 10_000;

export const temporalChecks = (context: SetupContext): readonly DoctorCheck[] => [
  { name: temporalServer.name, required: true, run: () => checkServer(context) },
  { name: 'temporal-worker', required: true, run: checkPackages },
];

/** A configured address is what workers will use: one that does not answer is a failure, whatever could be started. */
async function checkServer(context: SetupContext): Promise<Finding> {
  const { connectionOptions, namespace } = readTemporalSettings();
  const { address } = connectionOptions;
  const outcome = await findPart(temporalServer, context);
  if (address === undefined) {
    const finding = describeFound(outcome);
    if (outcome.found === undefined) return finding;
    const { version, location } = outcome.found;
    return { ...finding, detail: `${version}, start it with: ${location} server start-dev` };
  }
  const isVariable = context.environment.temporalAddress !== undefined;
  const why = isVariable ? 'TEMPORAL_ADDRESS is set' : 'the Temporal profile names it';
  const remedy = `Start the server at ${address}, correct the address, or unset it.`;
  const unreachable = isVariable && outcome.refusals.find(({ source }) => source === 'TEMPORAL_ADDRESS');
  if (unreachable) return { status: 'failed', detail: unreachable.why, why, remedy };
  return { status: 'ok', detail: `${await askServer(connectionOptions, namespace)} at ${address}`, why };
}

/** @throws Error when the server does not answer, or does not know the namespace */
async function askServer(options: TemporalSettings['connectionOptions'], namespace: string): Promise<string> {
  const { Connection } = await import('@temporalio/client');
  const connection = await Connection.connect({ ...options, connectTimeout: answerTimeoutMs });
  try {
    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    await connection.workflowService.describeNamespace({ namespace });
    return `server ${serverVersion}, namespace ${namespace}`;
  } finally {
    await connection.close();
  }
}

const manifestSchema = z.object({ version: z.string() });

/** Optional peers of the package, because applications that only start runs do without their native code. */
async function checkPackages(): Promise<Finding> {
  const why = 'workers are made of @temporalio/worker, activity and workflow, which the application installs';
  try {
    await Promise.all([import('@temporalio/worker'), import('@temporalio/activity')]);
    const { version } = manifestSchema.parse(createRequire(import.meta.url)('@temporalio/worker/package.json'));
    return { status: 'ok', detail: `@temporalio/worker ${version} loads`, why };
  } catch (error) {
    const [detail = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    const remedy = 'Run: npm install @temporalio/worker @temporalio/activity @temporalio/workflow';
    return { status: 'missing', detail, why, remedy };
  }
}
