/** The files of `docker/` as tests read them, and what the builder is sent. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from '../../tools/package-root.js';

export interface HealthCheck {
  readonly test?: readonly string[];
  readonly disable?: boolean;
}

export interface ComposeService {
  readonly image: string;
  readonly entrypoint?: readonly string[];
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: HealthCheck;
  readonly stop_grace_period?: string;
  readonly restart?: string;
  readonly 'x-no-healthcheck'?: string;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file?: string }>>;
}

export const repositoryFile = (path: string): string => readFileSync(join(packageRoot(), path), 'utf8');

/** As Compose reads it, before it puts variables in. */
export const readCompose = (): ComposeFile =>
  parse(repositoryFile('docker/compose.yaml'), { merge: true }) as ComposeFile;

/** @throws Error when there is no such service */
export function composeService(name: string): ComposeService {
  const service = readCompose().services[name];
  if (service === undefined) throw new Error(`expected a service ${name} in docker/compose.yaml, found none`);
  return service;
}

/** The paths that .dockerignore lets through: it holds back all, then names what is sent. */
export function sentToBuilder(): readonly string[] {
  const lines = repositoryFile('.dockerignore').split('\n');
  return lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
}
