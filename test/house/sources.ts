/**
 * The source files of a tree and what each of them imports, resolved to paths of the tree. Every file that can be compiled or
 * run (`.ts`, `.mjs`, `.cjs`) is one, wherever it lies; only installed, compiled and hidden folders are left out.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { parseSync } from 'oxc-parser';
import { readEnvironmentReads } from './environment-reads.js';
import { readImports } from './imports.js';

export interface ResolvedImport {
  /** A path of the tree, or a package: `zod`, `@temporalio/worker`, `node:fs`. */
  readonly target: string;
  readonly kind: 'file' | 'package';
  readonly line: number;
  readonly typeOnly: boolean;
}

export interface Source {
  readonly path: string;
  readonly imports: readonly ResolvedImport[];
  /** Lines that read the process environment. */
  readonly environmentReads: readonly number[];
}

const leftOut = /^(node_modules|dist|coverage|\..*)$/;

/** Path → text of every source file under `root`. */
export function readTree(root: string, folder = ''): Map<string, string> {
  const texts = new Map<string, string>();
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name);
    if (leftOut.test(entry.name)) continue;
    if (entry.isDirectory()) for (const [inner, text] of readTree(root, path)) texts.set(inner, text);
    else if (/\.(ts|mjs|cjs)$/.test(entry.name)) texts.set(path, readFileSync(join(root, path), 'utf8'));
  }
  return texts;
}

/** @throws Error when a text is not TypeScript. */
export function readSources(texts: ReadonlyMap<string, string>): Source[] {
  return [...texts].map(([path, text]) => {
    const { program, errors } = parseSync(path, text);
    if (errors[0]) throw new Error(`${path}: expected TypeScript, found: ${errors[0].message}`);
    const lineOf = (start: number): number => text.slice(0, start).split('\n').length;
    const imports = readImports(program).map(({ specifier, start, typeOnly }) => ({
      ...resolve(specifier, path, texts),
      line: lineOf(start),
      typeOnly,
    }));
    return { path, imports, environmentReads: readEnvironmentReads(program).map(lineOf) };
  });
}

/** A compiled path stands for its source: `dist/tools/setup.js` is `tools/setup.ts`. */
function resolve(
  specifier: string,
  importer: string,
  texts: ReadonlyMap<string, string>,
): Pick<ResolvedImport, 'kind' | 'target'> {
  if (!specifier.startsWith('.')) {
    const bare = isBuiltin(specifier) && !specifier.startsWith('node:');
    return { kind: 'package', target: bare ? `node:${specifier}` : specifier };
  }
  const named = posix.join(posix.dirname(importer), specifier).replace(/^dist\//, '');
  const source = named.replace(/\.js$/, '.ts');
  return { kind: 'file', target: texts.has(named) ? named : source };
}
