/** The files in which the NVIDIA driver lists its devices under /proc. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './temporary.js';

/** Of a machine with these models, in the order of the bus. */
export function nvidiaDriver(...models: readonly string[]): string {
  const directory = temporaryDirectory();
  for (const [index, model] of models.entries()) {
    const device = join(directory, 'gpus', `0000:${index}7:00.0`);
    mkdirSync(device, { recursive: true });
    const fields = [
      `Model: \t\t ${model}`,
      'IRQ:   \t\t 42',
      `GPU UUID: \t GPU-${index}a4fd217-1bd5-b33a-b78c-f6e0e4e3a2b1`,
      'Video BIOS: \t 96.00.30.00.01',
      `Bus Location: \t 0000:${index}7:00.0`,
      `Device Minor: \t ${index}`,
    ];
    writeFileSync(join(device, 'information'), `${fields.join('\n')}\n`);
  }
  const version =
    'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version:\n';
  writeFileSync(join(directory, 'version'), version);
  return directory;
}
