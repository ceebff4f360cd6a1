/**
 * A stage of your own, in one file: rows that ask what a row before them has asked are left out of a dataset. A plan uses it by
 * its kind, between `import` and whatever learns from the rows:
 *
 *   stages:
 *     - { id: import, uses: import, with: { dataset: /data/answers.jsonl } }
 *     - { id: unique, uses: deduplicate, needs: [import], with: { ignoreCase: true } }
 *
 * A worker has it when it is listed there: `stages: [deduplicate]`, or `nightstill worker --stages deduplicate.js`.
 */
import { defineStage } from 'nightstill';
import { readArtifact, readBlob } from 'nightstill/storage';
import { z } from 'zod';

interface Row {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

export const deduplicate = defineStage({
  kind: 'deduplicate',
  version: 1,
  options: z.strictObject({ ignoreCase: z.boolean().default(false) }),
  inputs: { dataset: 'dataset' },
  outputs: { dataset: 'dataset' },
  async run({ options, inputs, store, writer, progress, signal }) {
    const { parts, meta } = await readArtifact(store, inputs.dataset);
    const asked = new Set<string>();
    const isNew = (line: string): boolean => {
      const { messages } = JSON.parse(line) as Row;
      const question = messages.map(({ role, content }) => (role === 'assistant' ? '' : content)).join('\n');
      const known = asked.size;
      return asked.add(options.ignoreCase ? question.toLowerCase() : question).size > known;
    };
    const kept = [];
    for (const part of parts) {
      signal.throwIfAborted();
      const lines = Buffer.from(await readBlob(store, part))
        .toString()
        .trimEnd()
        .split('\n');
      const rows = lines.filter(isNew);
      const text = rows.map((row) => `${row}\n`).join('');
      if (rows.length > 0) kept.push({ ...(await writer.putBlob(Buffer.from(text))), rows: rows.length });
      progress({ phase: 'deduplicate', facts: { done: asked.size, unit: 'questions' } });
    }
    const dataset = await writer.putArtifact({ kind: 'dataset', parts: kept, meta });
    return { outputs: { dataset }, facts: { kept: asked.size } };
  },
});

export const stages = [deduplicate];
