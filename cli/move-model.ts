/** `nightstill models promote` and `rollback`: shown first, done with --yes. */
import { findModel, promoteModel, rollbackModel, type ModelAlias } from '../client/index.js';
import { NightstillError } from '../config/errors.js';
import { UsageError } from './command.js';
import { describeAlias } from './list-models.js';
import type { ModelsFlags } from './models.js';
import { whoAmI } from './who-am-i.js';

interface MoveCommand {
  readonly store: string;
  readonly name: string;
  readonly alias: string;
  readonly flags: ModelsFlags;
}

/** @throws champion-moved, digest-refused, model-missing, and what finding the model of a run throws */
export async function promote(command: MoveCommand): Promise<string> {
  const { flags } = command;
  const digest = await wantedDigest(command);
  const current = await findModel(command);
  const why = flags.run === undefined ? 'promoted by hand' : `promoted by hand, from run ${flags.run}`;
  if (flags.yes) {
    const move = { ...moveOf(command, current, why), digest, evenIfRefused: flags['even-if-refused'] };
    return moved(await promoteModel(move), flags);
  }
  const refused = current?.refused.includes(digest) === true && !flags['even-if-refused'];
  return announced(command, current, digest, refused ? ['It was rolled back: it also needs --even-if-refused.'] : []);
}

/** @throws champion-moved, alias-missing */
export async function rollback(command: MoveCommand): Promise<string> {
  const { flags, name, alias } = command;
  const current = await findModel(command);
  const previous = current?.rollsBackTo;
  if (!current || !previous)
    throw new NightstillError('alias-missing', `${name}/${alias}: expected a model that served before, found none`);
  if (flags.yes) return moved(await rollbackModel(moveOf(command, current, 'rolled back by hand')), flags);
  return announced(command, current, previous.digest, [`${current.current.digest} will be refused.`]);
}

/** What serves is what was looked at: whoever moves the alias in between wins, and this move is refused. */
function moveOf({ store, name, alias, flags }: MoveCommand, current: ModelAlias | undefined, why: string) {
  const expected = current ? { digest: current.current.digest, counter: current.counter } : null;
  return { store, name, alias, expected: expectationOf(flags, expected), reason: flags.reason ?? why, actor: whoAmI() };
}

type Expectation = { readonly digest: string; readonly counter: number } | null;

function expectationOf({ expect }: ModelsFlags, seen: Expectation): Expectation {
  if (expect === undefined) return seen;
  return expect === 'none' ? null : { digest: expect, counter: seen?.counter ?? 0 };
}

async function wantedDigest({ store, flags }: MoveCommand): Promise<string> {
  const { digest, run, node } = flags;
  if ((digest === undefined) === (run === undefined)) throw new UsageError('expected either --digest or --run');
  if (digest !== undefined) return digest;
  const { askServer, connectLazily } = await import('./connect.js');
  const { modelOf } = await import('./export-model.js');
  const open = await connectLazily(flags);
  try {
    const { client } = open;
    const request = { client, runId: run ?? '', node, store: flags.store, recordedIn: store };
    const { artifact } = await askServer(open, `run ${run}`, () => modelOf(request));
    return artifact.digest;
  } finally {
    await open.close();
  }
}

const moved = (alias: ModelAlias, { json }: ModelsFlags): string =>
  json ? JSON.stringify(alias) : describeAlias(alias);

function announced(
  { name, alias, flags }: MoveCommand,
  current: ModelAlias | undefined,
  digest: string,
  notes: readonly string[],
): string {
  const from = current?.current.digest ?? null;
  const expected = flags.expect ?? from ?? 'none';
  const told = expected === (from ?? 'none') ? notes : [...notes, `It would be refused: ${expected} does not serve.`];
  if (flags.json) return JSON.stringify({ name, alias, from, to: digest, moved: false, notes: told });
  const lines = [`${name}/${alias}`, `  from  ${from ?? 'nothing'}`, `  to    ${digest}`];
  return [...lines, ...told.map((note) => `  ${note}`), '', 'Nothing was moved. With --yes it is.'].join('\n');
}
