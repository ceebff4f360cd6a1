/** The keys of a plan file and the options of the built-in stages as tables, from the schemas that check them. */
import { z } from 'zod';
import { teacherEndpointSchema } from '../../config/teacher-schema.js';
import { numericsSchema, planFileSchema } from '../../config/plan-schema.js';
import { builtInStages } from '../../plugins/built-in-stages.js';
import { table } from './sections.js';

type Shape = Readonly<Record<string, z.ZodType>>;

export const listPlanKeys = (): string => drawShape(planFileSchema.shape);

export const listNumerics = (): string => drawShape(numericsSchema.shape);

export const listTeacherKeys = (): string => drawShape(teacherEndpointSchema.shape);

export const listTeacherLimits = (): string => drawShape(teacherEndpointSchema.shape.limits.unwrap().shape);

export const listStageOptions = (): string =>
  builtInStages
    .map(({ kind }) => {
      const inputs = Object.entries(kind.inputs).map(
        ([name, { artifact, optional, insteadOf }]) =>
          `\`${name}\`${optional ? ` (${insteadOf === undefined ? 'optional' : `in place of \`${insteadOf}\``})` : ''}: ${artifact}`,
      );
      const outputs = Object.entries(kind.outputs).map(([name, artifact]) => `\`${name}\`: ${artifact}`);
      return [
        `### ${kind.kind}`,
        `Takes ${inputs.join(', ') || 'no artifacts'}; makes ${outputs.join(', ')}.`,
        kind.options instanceof z.ZodObject ? drawShape(kind.options.shape) : '',
      ].join('\n\n');
    })
    .join('\n\n');

const drawShape = (shape: Shape): string =>
  table([['key', 'default', 'meaning'], ...Object.entries(shape).map(([name, field]) => row(name, field))]);

function row(name: string, field: z.ZodType): [string, string, string] {
  const parsed = field.safeParse(undefined);
  const fallback = parsed.success ? (parsed.data === undefined ? '' : `\`${JSON.stringify(parsed.data)}\``) : 'needed';
  const choices = choicesOf(field);
  const meaning = [
    describe(field),
    ...(choices.length > 0 ? [choices.map((choice) => `\`${choice}\``).join(', ')] : []),
  ];
  return [`\`${name}\``, fallback, meaning.filter(Boolean).join(' ').replaceAll('|', '\\|')];
}

/** Of the field, or of what it wraps. */
function describe(field: z.ZodType): string {
  if (field.description !== undefined) return field.description;
  return field instanceof z.ZodOptional || field instanceof z.ZodDefault ? describe(field.unwrap() as z.ZodType) : '';
}

function choicesOf(field: z.ZodType): string[] {
  if (field instanceof z.ZodOptional || field instanceof z.ZodDefault) return choicesOf(field.unwrap() as z.ZodType);
  return field instanceof z.ZodEnum ? field.options.map(String) : [];
}
