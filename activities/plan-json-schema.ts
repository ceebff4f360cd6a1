/**
 * The JSON schema of a plan file, by which editors complete and check it. It is made from what checks the file, and from the
 * options of the stage kinds that are given: with a user's own kinds among them, editors know those as well.
 */
import { z } from 'zod';
import type { JsonObject } from '../config/json.js';
import { planFileSchema } from '../config/plan-schema.js';
import type { StageKind } from '../config/stage-kind.js';
import { optionSections } from './standard-stages.js';

type Schema = z.core.JSONSchema.JSONSchema;

export function planJsonSchema(kinds: readonly StageKind[]): JsonObject {
  const { $schema, $defs, properties } = jsonSchemaOf({
    file: planFileSchema,
    ...Object.fromEntries(kinds.map(({ kind, options }) => [`options of ${kind}`, options])),
  });
  const file = asSchema(properties?.['file']);
  const sections = { ...file.properties };
  for (const [section, taking] of Object.entries(optionSections)) {
    const written = asSchema(sections[section]);
    const known = taking.filter((name) => kinds.some(({ kind }) => kind === name));
    if (known.length > 0) sections[section] = { description: written.description ?? '', ...optionsOf(known, written) };
  }
  const stages = asSchema(sections['stages']);
  const schema: Schema = {
    ...($schema !== undefined && { $schema }),
    title: 'A plan of Nightstill',
    ...file,
    // The command line names a store where the file names none.
    required: ['name'],
    properties: { ...sections, stages: { ...stages, items: knowing(kinds, asSchema(stages.items)) } },
    $defs: { ...$defs, ...definitionsOf(kinds, properties) },
  };
  return schema as unknown as JsonObject;
}

/** What a section may hold: the options of any of these kinds, or one of the words that the file may say there. */
function optionsOf(taking: readonly string[], written: Schema): Schema {
  const words = (written.anyOf ?? []).map(asSchema).filter((each) => each.const !== undefined);
  const [only, ...others] = [...words, ...taking.map((name): Schema => ({ $ref: refOf(name) }))];
  return only && others.length > 0 ? { anyOf: [only, ...others] } : (only ?? {});
}

/** A stage, with the options of its kind where the kind is known. */
const knowing = (kinds: readonly StageKind[], stage: Schema): Schema => ({
  ...stage,
  properties: {
    ...stage.properties,
    uses: { ...asSchema(stage.properties?.['uses']), examples: kinds.map(({ kind }) => kind) },
  },
  allOf: kinds.map(({ kind }) => ({
    // Either it is of another kind, or its options are those of this one.
    anyOf: [{ properties: { uses: { not: { const: kind } } } }, { properties: { with: { $ref: refOf(kind) } } }],
  })),
});

/** What the top of the plan may give is not required of a stage. */
function definitionsOf(kinds: readonly StageKind[], properties: Schema['properties']): Record<string, Schema> {
  return Object.fromEntries(
    kinds.map(({ kind, shared }) => {
      const { required = [], ...options } = asSchema(properties?.[`options of ${kind}`]);
      const alone = required.filter((name) => shared[name] === undefined);
      return [kind, { ...options, ...(alone.length > 0 && { required: alone }) }];
    }),
  );
}

const refOf = (kind: string): string => `#/$defs/${kind}`;

/** What a user writes, before defaults are filled in, in one schema, so that what the parts share has one name. */
const jsonSchemaOf = (parts: Readonly<Record<string, z.ZodType>>): Schema =>
  z.toJSONSchema(z.object(parts), { io: 'input', unrepresentable: 'any' });

const asSchema = (value: unknown): Schema => (typeof value === 'object' && value !== null ? (value as Schema) : {});
