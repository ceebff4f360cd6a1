/** What a record holds at a name, where it holds that: records of other releases and of users' own stages may hold anything. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../storage/index.js';

export const memberOf = (value: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(value, name) ? value[name] : undefined;

export function objectAt(value: JsonObject, name: string): JsonObject {
  const member = memberOf(value, name);
  return member !== undefined && isJsonObject(member) ? member : {};
}

export function numberAt(value: JsonObject, name: string): number | null {
  const member = memberOf(value, name);
  return typeof member === 'number' ? member : null;
}

export function textAt(value: JsonObject, name: string): string | null {
  const member = memberOf(value, name);
  return typeof member === 'string' ? member : null;
}

export function textsAt(value: JsonObject, name: string): readonly string[] {
  const member = memberOf(value, name);
  return member !== undefined && isJsonArray(member) ? member.filter((each) => typeof each === 'string') : [];
}
