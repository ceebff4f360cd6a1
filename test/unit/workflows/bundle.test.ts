/**
 * What users bundle into their workers. Zod at module top costs megabytes in every cached workflow, and Node built-ins do not
 * exist in the sandbox.
 */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const root = join(import.meta.dirname, '../../..');
const limitBytes = 700_000;

interface Bundle {
  /** Without its source map. */
  readonly bytes: number;
  readonly modules: readonly string[];
}

async function bundle(workflowsPath: string): Promise<Bundle> {
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR', () => undefined) });
  const [script = '', map = ''] = code.split('//# sourceMappingURL=data:application/json;charset=utf-8;base64,');
  const { sources }: { sources: string[] } = JSON.parse(Buffer.from(map, 'base64').toString());
  return { bytes: Buffer.byteLength(script), modules: sources };
}

/** What forbids shipping it. */
const complaints = ({ bytes, modules }: Bundle): string[] => [
  ...modules.filter((name) => /\/zod\//.test(name)).slice(0, 1),
  ...(bytes > limitBytes ? [`expected at most ${limitBytes} bytes, found ${bytes}`] : []),
];

describe('the workflow bundle', () => {
  it('holds no zod and no Node built-in, and is small', async () => {
    const bundled = await bundle(join(root, 'workflows/index.ts'));
    expect(complaints(bundled)).toEqual([]);
    expect(bundled.modules).toEqual(expect.arrayContaining([expect.stringContaining('@temporalio/workflow/')]));
  });

  describe('of a planted workflow', () => {
    let folder: string;

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'nightstill-bundle-'));
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    const plant = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };

    it('is refused with zod in it', async () => {
      const path = plant(
        'zod.ts',
        "import { z } from 'zod';\nexport const parse = async () => z.string().parse('a');\n",
      );
      const found = complaints(await bundle(path));
      expect(found).toEqual([expect.stringContaining('zod'), expect.stringContaining(`at most ${limitBytes} bytes`)]);
    });

    it.each(['node:fs', 'fs', 'node:util'])('cannot be made with %s in it', async (builtin) => {
      const path = plant(
        'builtin.ts',
        `import * as builtin from '${builtin}';\nexport const use = async () => builtin;\n`,
      );
      await expect(bundle(path)).rejects.toThrow(/disallowed modules|Webpack finished with errors/);
    });
  });
});
