/** `nightstill models list | promote | rollback`: which model serves under which name. */
import { UsageError, commonExits, defineCommand, exitStatus, type Invocation } from './command.js';
import { connectionFlags } from './connection-flags.js';
import { defaultStore } from './default-store.js';

const acts = ['list', 'promote', 'rollback'] as const;

const flags = {
  digest: { value: 'digest', summary: 'promote: the model of this digest, sha256: and 64 hex digits' },
  run: { value: 'run', summary: 'promote: the model that this run ended with' },
  node: { value: 'node', summary: 'promote: of this node of the run; needed where a run ends with several models' },
  expect: {
    value: 'digest',
    summary: 'move only if this digest serves now, or `none`; default: what serves when asked',
  },
  'even-if-refused': { summary: 'promote: also a model that was rolled back' },
  reason: { value: 'text', summary: 'why, kept in the history' },
  yes: { summary: 'move the alias' },
  json: { summary: 'as JSON' },
  store: { value: 'url', summary: 'default NIGHTSTILL_STORE, or else .nightstill/store in the current directory' },
  ...connectionFlags,
} as const;

export type ModelsFlags = Invocation<typeof flags>['flags'];

export const modelsCommand = defineCommand({
  name: 'models',
  group: 'data',
  summary: 'list which models serve under which names, promote one, or roll one back',
  about: `list      what serves under which name and alias, since when, by whom, why, and what served before
promote   moves an alias (default: champion) to a model: --digest, or --run for what a run ended with
rollback  moves it back to what served before; the digest that is left is refused until --even-if-refused names it

Nothing is moved without --yes. When somebody else has moved the alias meanwhile, the move is refused as champion-moved.`,
  words: [
    { name: 'list | promote | rollback', offers: acts },
    { name: 'name[/alias]', optional: true },
  ],
  flags,
  exits: { 0: 'listed, moved, or shown what would be moved', ...commonExits },
  run: async ({ flags: given, words: [act, place], variables }) => {
    const store = given.store ?? defaultStore(variables);
    if (act === 'list') {
      const { listedModels } = await import('./list-models.js');
      process.stdout.write(`${await listedModels(store, place === undefined ? {} : parsePlace(place), given.json)}\n`);
      return exitStatus.ok;
    }
    if (act !== 'promote' && act !== 'rollback')
      throw new UsageError(`expected ${acts.join(', ')}, found "${act ?? ''}"`);
    if (place === undefined) throw new UsageError(`expected "models ${act} <name[/alias]>", found no name`);
    const { promote, rollback } = await import('./move-model.js');
    const request = { store, alias: 'champion', ...parsePlace(place), flags: given };
    process.stdout.write(`${await (act === 'promote' ? promote(request) : rollback(request))}\n`);
    return exitStatus.ok;
  },
});

function parsePlace(place: string): { readonly name: string; readonly alias?: string } {
  const [name, alias, ...more] = place.split('/');
  if (!name || alias === '' || more.length > 0) throw new UsageError(`expected name or name/alias, found "${place}"`);
  return { name, ...(alias !== undefined && { alias }) };
}
