import { z } from 'zod';
import { planJsonSchema } from '../../../activities/plan-json-schema.js';
import { planFileSchema } from '../../../config/plan-schema.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';
import { defineStage } from '../../../plugins/define-stage.js';

const schemaOf = (...more: Parameters<typeof planJsonSchema>[0]) =>
  planJsonSchema([...builtInStages.map(({ kind }) => kind), ...more]) as unknown as {
    readonly required: readonly string[];
    readonly properties: Readonly<Record<string, { readonly description?: string; readonly $ref?: string }>>;
    readonly $defs: Readonly<Record<string, { readonly properties?: object; readonly required?: readonly string[] }>>;
  };

describe('the JSON schema of a plan file', () => {
  it('describes every key at the top, and leaves the store to the command line', () => {
    const { properties, required } = schemaOf();
    expect(Object.keys(properties)).toEqual(Object.keys(planFileSchema.shape));
    expect(Object.entries(properties).filter(([, { description }]) => !description)).toEqual([]);
    expect(required).toEqual(['name']);
  });

  it('knows the options of each stage, those of the user among them', () => {
    const summarise = defineStage({
      kind: 'summarise',
      version: 1,
      options: z.strictObject({ words: z.int(), style: z.json().default(null) }),
      outputs: { text: 'text' },
      run: () => Promise.reject(new Error('not run here')),
    });
    const { $defs, properties } = schemaOf(summarise.kind);
    expect($defs['summarise']).toMatchObject({ properties: { words: { type: 'integer' } }, required: ['words'] });
    expect($defs['distill']).toMatchObject({ properties: { temperature: { default: 2 } } });
    expect(properties['distill']?.$ref).toBe('#/$defs/distill');
  });

  it('asks no stage for what the top of the plan may give', () => {
    expect(schemaOf().$defs['import']).not.toHaveProperty('required');
    expect(schemaOf().$defs['import-model']).toMatchObject({ required: ['model'] });
  });

  it('refers to nothing that it does not hold', () => {
    const { $defs, ...rest } = schemaOf();
    const references = [...JSON.stringify({ $defs, rest }).matchAll(/"\$ref":"#\/\$defs\/([^"]+)"/g)].map(
      ([, to]) => to,
    );
    expect(references.length).toBeGreaterThan(5);
    expect(references.filter((to) => $defs[to ?? ''] === undefined)).toEqual([]);
  });
});
