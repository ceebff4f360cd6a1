import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { z } from 'zod';
import { planJsonSchema } from '../../../activities/plan-json-schema.js';
import { planFileSchema } from '../../../config/plan-schema.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';
import { defineStage } from '../../../plugins/define-stage.js';
import { packageRoot } from '../../../tools/package-root.js';

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

  describe('as an editor applies it', () => {
    const isValid = new Ajv2020({ strictTypes: false, validateFormats: false }).compile(schemaOf());
    const fileOf = (path: string): string => readFileSync(`${packageRoot()}/${path}`, 'utf8');
    const first = (): Record<string, unknown> =>
      parse(fileOf('examples/first/distill.yaml')) as Record<string, unknown>;
    const inReadme = /```yaml\n([^]*?)```/.exec(fileOf('README.md'))?.[1] ?? '';

    it.each([
      ['of the first example', fileOf('examples/first/distill.yaml')],
      ['of the demo', fileOf('examples/sql/distill.yaml')],
      ['in the README', inReadme],
    ])('takes the plan %s', (_, text) => {
      expect({ valid: isValid(parse(text)), errors: isValid.errors }).toEqual({ valid: true, errors: null });
    });

    it.each([
      ['a key that there is not', { techer: './model' }],
      ['an option that its stage has not', { distill: { temprature: 2 } }],
      ['an option of another type', { distill: { temperature: 'two' } }],
      ['a plan without a name', { name: undefined }],
    ])('refuses %s', (_, wrong) => {
      expect(isValid(JSON.parse(JSON.stringify({ ...first(), ...wrong })))).toBe(false);
    });
  });
});
