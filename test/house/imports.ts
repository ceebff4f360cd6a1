/**
 * Reads what one source file imports: static, dynamic and type imports, re-exports, `require`, and `new URL('./x.js',
 * import.meta.url)`, by which threads and child processes are named. It judges nothing and resolves nothing. A specifier
 * that is computed at run time is not seen.
 */
import { Visitor, type Argument, type Expression, type Program } from 'oxc-parser';

export interface ImportStatement {
  readonly specifier: string;
  /** Where it begins, in characters from the start of the file. */
  readonly start: number;
  /** Erased by the compiler: nothing of it is left at run time. */
  readonly typeOnly: boolean;
}

/** In the order of the file. */
export function readImports(program: Program): ImportStatement[] {
  const imports: ImportStatement[] = [];
  const add = ({ start }: { readonly start: number }, specifier: string | undefined, typeOnly = false): void => {
    if (specifier !== undefined) imports.push({ specifier, start, typeOnly });
  };

  new Visitor({
    ImportDeclaration: (node) => add(node, node.source.value, node.importKind === 'type'),
    ExportNamedDeclaration: (node) => add(node, node.source?.value, node.exportKind === 'type'),
    ExportAllDeclaration: (node) => add(node, node.source.value, node.exportKind === 'type'),
    ImportExpression: (node) => add(node, literal(node.source)),
    TSImportType: (node) => add(node, node.source.value, true),
    CallExpression: (node) => {
      if (isNamed(node.callee, 'require')) add(node, literal(node.arguments[0]));
    },
    NewExpression: (node) => {
      const target =
        isNamed(node.callee, 'URL') && node.arguments.length === 2 ? literal(node.arguments[0]) : undefined;
      if (target?.endsWith('.js')) add(node, target.startsWith('.') ? target : `./${target}`);
    },
  }).visit(program);

  return imports.toSorted((left, right) => left.start - right.start);
}

const isNamed = (node: Expression, name: string): boolean => node.type === 'Identifier' && node.name === name;

const literal = (node: Argument | undefined): string | undefined =>
  node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;
