/** What a plan may say of a gate and of a promotion. */
import { z } from 'zod';
import { durationSchema } from './duration.js';
import { gateSchema } from './gate-schema.js';
import { teacherDirectorySchema, teacherEndpointSchema } from './teacher-schema.js';

const modelName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, '1 to 63 characters of A-Z a-z 0-9 . _ -');

export const gateOptions = z.strictObject({
  gates: gateSchema.describe('What a student must prove: all requirements must hold.'),
  name: modelName.describe('Which name of a model it is decided for.'),
  alias: modelName.default('champion').describe('Under that name: what serves there is compared with.'),
});
export type GateOptions = z.output<typeof gateOptions>;

/** A run that waits keeps its record open, and with it all that it made from collection. */
const longestWaitMs = 30 * 24 * 3600 * 1000;

const approvalSchema = z.strictObject({
  within: durationSchema
    .refine((written) => written <= longestWaitMs, 'at most 720h')
    .describe('How long the run waits for a person: `24h`. After that it ends without a promotion.'),
});

export const promoteOptions = z.strictObject({
  approval: approvalSchema
    .optional()
    .describe('A person decides whether a student that passed its gate is promoted: `nightstill approve <run>`.'),
  licence: z.string().min(1).optional().describe('Of the student, as its model card says it.'),
  languages: z.array(z.string().min(1)).min(1).optional().describe('That the student speaks, for its model card.'),
  teacher: z
    .union([z.string(), teacherDirectorySchema, teacherEndpointSchema])
    .optional()
    .describe('For the model card.'),
  student: z.json().optional().describe('What the student began as, for the model card.'),
});
export type PromoteOptions = z.output<typeof promoteOptions>;
