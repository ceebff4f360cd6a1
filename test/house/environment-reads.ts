/**
 * Finds where a source file reads the process environment: `process.env`, `const { env } = process`, and
 * `import { env } from 'node:process'`. It does not follow aliases of `process`.
 */
import { Visitor, type Expression, type Program, type PropertyKey } from 'oxc-parser';

/** Where each read begins, in characters from the start of the file. */
export function readEnvironmentReads(program: Program): number[] {
  const starts: number[] = [];
  new Visitor({
    MemberExpression: (node) => {
      if (isProcess(node.object) && nameOf(node.property) === 'env') starts.push(node.start);
    },
    VariableDeclarator: (node) => {
      if (node.id.type !== 'ObjectPattern' || !isProcess(node.init)) return;
      const names = node.id.properties.map((property) => property.type === 'Property' && nameOf(property.key));
      if (names.includes('env')) starts.push(node.start);
    },
    ImportDeclaration: (node) => {
      if (!['process', 'node:process'].includes(node.source.value)) return;
      const names = node.specifiers.map(
        (specifier) => specifier.type === 'ImportSpecifier' && nameOf(specifier.imported),
      );
      if (names.includes('env')) starts.push(node.start);
    },
  }).visit(program);
  return starts;
}

const isProcess = (node: Expression | null): boolean =>
  (node?.type === 'Identifier' && node.name === 'process') ||
  (node?.type === 'MemberExpression' && nameOf(node.property) === 'process');

function nameOf(node: PropertyKey): string | undefined {
  if (node.type === 'Identifier') return node.name;
  return node.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;
}
