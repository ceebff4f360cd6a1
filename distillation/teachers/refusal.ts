/**
 * Reads why an endpoint refuses a request: a field that it takes from no request, or log-probabilities that it does not give.
 * A field that it names counts before its words, and words only where they cannot be those of a prompt that the endpoint repeats.
 * Of all this, only names of fields that this project sends are passed on.
 */
import { z } from 'zod';
import { omittableFields, tokenLimitFields } from '../../config/teacher-schema.js';

export interface StatusError {
  readonly status: number;
  readonly headers: Headers | undefined;
  readonly code?: string | null | undefined;
  readonly param?: string | null | undefined;
  readonly type?: string | undefined;
  /** The status, then the words of the endpoint. */
  readonly message: string;
  /** As it came. */
  readonly error: unknown;
}

type Field = (typeof omittableFields)[number] | (typeof tokenLimitFields)[number];
const isOmittable = (name: unknown): name is Field => omittableFields.some((field) => field === name);
const isField = (name: unknown): name is Field => isOmittable(name) || tokenLimitFields.some((field) => field === name);

/** As OpenAI, Azure and Google begin: what a prompt says comes later, if at all. */
const openingWords =
  /^\d+ (?:Invalid JSON payload received\. )?(?:Unsupported (?:parameter|value):|Unrecognized request arguments? supplied:|Unknown name) ["'`]?([a-z_]+)/;

/** Codes by which hosted endpoints say that they take this field, or this value of it, from no request. */
const codesOfFields: readonly unknown[] = ['unsupported_parameter', 'unsupported_value'];

/**
 * The field that the endpoint takes from no request, or not with this value; undefined where it refuses this request alone, such as
 * for its messages, or for a token limit that is too large after this prompt.
 */
export function refusedField({ code, message, param, error }: StatusError): Field | 'every field' | undefined {
  const named = openingWords.exec(message)?.[1];
  if (isField(named)) return named;
  const forbidden = complaintsIn(error).find(
    ({ type, loc: [where, field, ...further] }) =>
      where === 'body' &&
      further.length === 0 &&
      (isOmittable(field) || (isField(field) && type === 'extra_forbidden')),
  );
  if (forbidden) return forbidden.loc[1] as Field;
  if (isOmittable(param)) return param;
  if (!codesOfFields.includes(code) || param?.startsWith('messages')) return undefined;
  return isField(param) ? param : 'every field';
}

/** `{ detail: [{ type: extra_forbidden, loc: [body, seed] }] }`: so FastAPI lists them, and Mistral in its `message`. */
const listSchema = z.looseObject({
  detail: z.array(z.looseObject({ type: z.string().optional(), loc: z.array(z.unknown()) })),
});
const nestedSchema = z.looseObject({ message: listSchema });

const complaintsIn = (error: unknown) =>
  (nestedSchema.safeParse(error).data?.message ?? listSchema.safeParse(error).data)?.detail ?? [];

const moderationSchema = z.looseObject({ metadata: z.looseObject({ flagged_input: z.string() }) });

/** Refused by a moderator before the model, which says what it has flagged: with the status of a key that has no right (OpenRouter). */
export const isModerated = ({ error }: Pick<StatusError, 'error'>): boolean =>
  moderationSchema.safeParse(error).success;

/** Why a request for log-probabilities is refused: the endpoint gives fewer (many give 20 at most), or none. */
export function refusedScores({ message, param }: StatusError): 'capped' | 'missing' | undefined {
  // A proxy may write `None` where it knows no field.
  const place = typeof param === 'string' && /^[a-z_]+$/.test(param) ? param : message;
  if (!/logprob|echo/i.test(place)) return undefined;
  return /at most|\bmax(?:imum)?\b|greater|less than|exceed|limit|between|\b[<≤]=?/i.test(message)
    ? 'capped'
    : 'missing';
}
