/**
 * The devices that gpu workers are started for, one worker a device: `cpu`, or an NVIDIA device as CUDA names it. Children of
 * that worker see this device only. Untested: the part for NVIDIA devices has not run on one.
 */
import { readdirSync } from 'node:fs';

/** What `--devices` takes: `cpu`, or what CUDA_VISIBLE_DEVICES takes for one device (an index or a UUID). */
export type Device = string;

const cpu: Device = 'cpu';

/** Those that CUDA_VISIBLE_DEVICES names, else all that the NVIDIA driver lists, else the processor. */
export function devicesOfMachine(visible: string | undefined = process.env['CUDA_VISIBLE_DEVICES']): readonly Device[] {
  const devices = visible === undefined ? listedDevices() : visible.split(',').filter((device) => device.trim() !== '');
  return devices.length > 0 ? devices : [cpu];
}

function listedDevices(): readonly Device[] {
  try {
    return readdirSync('/proc/driver/nvidia/gpus').map((_, index) => `${index}`);
  } catch {
    return [];
  }
}

/** For the environment of a process that computes on this device and sees no other. */
export const deviceVariables = (device: Device): Readonly<Record<string, string>> => ({
  CUDA_VISIBLE_DEVICES: device === cpu ? '-1' : device,
});
