/** On a machine that can have a Temporal server and no TensorFlow: nothing is on PATH but `temporal`, and the cache is empty. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolvePlan } from '../../../activities/resolve-plan.js';
import { identifyStage } from '../../../activities/stage-key.js';
import { provideLocalParts } from '../../../cli/dev/parts.js';
import type { LoadedPlan } from '../../../cli/plan/load-plan.js';
import { tensorflowNeedOf } from '../../../cli/plan/tensorflow-need.js';
import { defineStage } from '../../../plugins/define-stage.js';
import { openObjectStore } from '../../../storage/index.js';
import { packageRoot } from '../../../tools/package-root.js';
import { nightstill } from '../../support/nightstill.js';
import { claim, outcomeOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';

const compute = defineStage({
  kind: 'compute',
  version: 1,
  outputs: { dataset: 'dataset' },
  numerics: true,
  run: () => Promise.reject(new Error('not run here')),
});

describe('where TensorFlow cannot be had', () => {
  let variables: Record<string, string>;
  let directory: string;

  beforeEach(() => {
    directory = temporaryDirectory();
    const PATH = join(directory, 'bin');
    mkdirSync(PATH);
    const version = 'temporal version 1.5.0 (Server 1.31.2, UI 2.50.1)';
    writeFileSync(join(PATH, 'temporal'), `#!/bin/sh\necho '${version}'\n`, { mode: 0o755 });
    variables = { PATH, NIGHTSTILL_CACHE: join(directory, 'cache'), NIGHTSTILL_STORE: `file://${directory}/store` };
  });

  it('a plan that computes with it is refused before anything is started, with what to write instead', async () => {
    const plan = join(packageRoot(), 'examples/first/distill.yaml');
    const { status, standardError } = await nightstill(['run', plan, '--dev'], variables);
    expect(standardError).toContain('numerics-unavailable: expected TensorFlow 2.21.0, which the plan computes with');
    expect(standardError).toContain('no C++ compiler');
    expect(standardError).toContain('numerics: { runner: wasm }');
    expect(standardError).not.toContain('starting a Temporal server');
    expect(status).toBe(2);
    expect(existsSync(join(directory, 'store'))).toBe(false);
  });

  it('a plan that computes without it, or that nobody knows yet, finds the server', async () => {
    const temporalBinary = join(directory, 'bin', 'temporal');
    await expect(provideLocalParts(variables, 'none')).resolves.toEqual({ temporalBinary });
    await expect(provideLocalParts(variables, 'unknown')).resolves.toEqual({ temporalBinary });
  });

  describe('a plan that computes with it', () => {
    const request = { queuePrefix: 'night', prove: false };
    const needOf = (more: Partial<typeof request> = {}) => tensorflowNeedOf(planned(), { ...request, ...more });

    function planned(): LoadedPlan {
      const kinds = [compute.kind];
      const file = {
        name: 'sums',
        store: variables['NIGHTSTILL_STORE'] ?? '',
        stages: [{ id: 'sum', uses: 'compute' }],
      };
      const resolved = resolvePlan(file, { kinds, queuePrefix: 'night' });
      return { path: 'sums.yaml', file, kinds, resolved, locate: (error) => error };
    }

    it('needs no other release than the one that its stages name, and without any all of them', async () => {
      const need = needOf();
      if (typeof need === 'string') throw new TypeError('expected a question');
      expect(await need('2.21.0')).toEqual([]);
      expect(await need('2.20.0')).toEqual(['2.21.0']);
      expect(await need(undefined)).toEqual(['2.21.0']);
    });

    /** As a worker of another machine does. */
    async function computeElsewhere(): Promise<void> {
      const { resolved } = planned();
      const stage = await identifyStage(compute.kind, {
        with: {},
        numerics: resolved?.plan.nodes[0]?.numerics,
        inputs: {},
      });
      const store = await openObjectStore(variables['NIGHTSTILL_STORE'] ?? '', { forWriting: true });
      const writer = await claim(store, stage.stageKey);
      const { outputs } = await outcomeOf(writer);
      const { preimage } = stage;
      await writer.seal({ preimage, outputs, facts: {}, observations: {}, reproducible: true });
      await store.close();
    }

    it('is let through where all of that is reused, and refused where it is not, or is to be proved', async () => {
      const without = {
        code: 'numerics-unavailable',
        message: expect.stringContaining('with other numerics') as string,
      };
      await expect(provideLocalParts(variables, needOf())).rejects.toMatchObject(without);
      await computeElsewhere();
      await expect(provideLocalParts(variables, needOf())).resolves.toHaveProperty('temporalBinary');
      await expect(provideLocalParts(variables, needOf({ prove: true }))).rejects.toMatchObject(without);
    });
  });
});
