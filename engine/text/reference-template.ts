/**
 * The seam to @huggingface/jinja: its declarations import each other in a way that Node's module resolution refuses, so the part
 * of them that is used stands here.
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';

export interface TemplateNode {
  readonly type: string;
}

export interface TemplateValue {
  readonly type: string;
  /** A text, a number, …, an array of values, or a map of them by name. */
  readonly value: unknown;
}

/** Variables, by name. */
export interface TemplateScope {
  readonly variables: ReadonlyMap<string, TemplateValue>;
  readonly set: (name: string, value: unknown) => void;
}

interface TemplateInterpreter {
  run(program: TemplateNode): TemplateValue;
  evaluate(node: TemplateNode | undefined, scope: TemplateScope): TemplateValue | undefined;
}

const library: Readonly<Record<string, unknown>> = { Environment, Interpreter, parse, tokenize };

export const ReferenceInterpreter = library['Interpreter'] as new (scope: TemplateScope) => TemplateInterpreter;

export function createScope(variables: Readonly<Record<string, unknown>>): TemplateScope {
  const Scope = library['Environment'] as new () => TemplateScope;
  const scope = new Scope();
  for (const [name, value] of Object.entries(variables)) scope.set(name, value);
  return scope;
}

/** With the options that transformers has for chat templates. @throws Error of the library, or TypeError where the source ends too early */
export function parseTemplate(source: string): TemplateNode {
  const tokensOf = library['tokenize'] as (text: string, options: object) => unknown;
  const programOf = library['parse'] as (tokens: unknown) => TemplateNode;
  return programOf(tokensOf(source, { lstrip_blocks: true, trim_blocks: true }));
}
