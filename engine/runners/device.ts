/**
 * The NVIDIA devices that a process sees, as far as numbers depend on them: CUDA's libraries choose their algorithms by the model.
 * Told as the driver lists them on Linux, in the order of the bus, which is CUDA's too where CUDA_DEVICE_ORDER is PCI_BUS_ID.
 * What is not known is named by its host, so that it equals nothing elsewhere.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

export interface DescribedDevice {
  /** Models of the visible devices, such as `NVIDIA H100 80GB HBM3`. */
  readonly device: string;
  /** Version of the driver. */
  readonly driver: string;
}

/** @param visible CUDA_VISIBLE_DEVICES: indices or UUIDs with commas between them; absent: all */
export function describeDevice(visible?: string, directory = '/proc/driver/nvidia'): DescribedDevice {
  const unknown = `unknown, of ${hostname()}`;
  const listed = listedDevices(join(directory, 'gpus'));
  const wanted = visible?.split(',').map((name) => name.trim());
  const models = wanted
    ? wanted.map((name) =>
        /^\d+$/.test(name) ? listed[Number(name)] : listed.find(({ uuid }) => uuid.startsWith(name)),
      )
    : listed;
  const version = /Kernel Module.*?\s(\d+(?:\.\d+)+)\s/.exec(textOf(join(directory, 'version')) ?? '')?.[1];
  const named = models.length > 0 ? models : [undefined];
  return { device: named.map((found) => found?.model ?? unknown).join(', '), driver: version ?? unknown };
}

function listedDevices(directory: string): { readonly model: string | undefined; readonly uuid: string }[] {
  try {
    return readdirSync(directory)
      .sort()
      .map((address) => {
        const information = textOf(join(directory, address, 'information')) ?? '';
        const field = (name: string) => new RegExp(`^${name}:\\s*(.*?)\\s*$`, 'm').exec(information)?.[1];
        return { model: field('Model'), uuid: field('GPU UUID') ?? '' };
      });
  } catch {
    return [];
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
