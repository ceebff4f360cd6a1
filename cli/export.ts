/** `nightstill export`: the model of a finished run, or of an alias, as a Hugging Face directory. */
import { commonExits, defineCommand, exitStatus } from './command.js';
import { connectionFlags } from './connection-flags.js';
import { storeOfRecords } from './default-store.js';

export const exportCommand = defineCommand({
  name: 'export',
  group: 'data',
  summary: 'write the model of a finished run, or of an alias, as a Hugging Face directory',
  about: `Fetches the model that a run ended with, or that serves under a name (name/alias), verifies it, and writes config.json,
safetensors and tokenizer to a new directory.`,
  words: [{ name: 'run | name/alias' }, { name: 'directory', offers: 'directory' }],
  flags: {
    node: { value: 'node', summary: 'whose model; needed where a run ends with several' },
    store: {
      value: 'url',
      summary:
        'as the plan names it: needed for an S3 server that is not AWS, and where Temporal does not know the run',
    },
    ...connectionFlags,
  },
  exits: { 0: 'written', ...commonExits },
  run: async ({ flags, words: [runId = '', directory = ''], variables }) => {
    const { askServer, connectLazily } = await import('./connect.js');
    const { exportModel } = await import('./export-model.js');
    const open = await connectLazily(flags);
    try {
      const { node, store } = flags;
      const request = {
        client: open.client,
        runId,
        directory,
        node,
        store,
        recordedIn: storeOfRecords(variables),
      };
      process.stdout.write(`${await askServer(open, `run ${runId}`, () => exportModel(request))}\n`);
      return exitStatus.ok;
    } finally {
      await open.close();
    }
  },
});
