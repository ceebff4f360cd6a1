/** Devices as the NVIDIA driver lists them. The texts are of the form that its documentation shows; no device is here. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describeDevice } from '../../../../engine/runners/device.js';
import { nvidiaDriver } from '../../../support/nvidia-driver.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const [a100, h100] = ['NVIDIA A100-SXM4-40GB', 'NVIDIA H100 80GB HBM3'];
const both = nvidiaDriver(a100, h100);

it.each([
  ['all of them', undefined, `${a100}, ${h100}`],
  ['an index', '1', h100],
  ['indices', '1,0', `${h100}, ${a100}`],
  ['the beginning of a UUID', 'GPU-1', h100],
])('the devices that a process sees are named by their models: %s', (_, visible, device) => {
  expect(describeDevice(visible, both)).toEqual({ device, driver: '535.104.05' });
});

it.each([
  ['there is no driver to ask', undefined, '/does/not/exist'],
  ['a part of a device is visible', 'MIG-4f3b', both],
  ['the device is another', '7', both],
])('what is not known equals nothing on another host: %s', (_, visible, directory) => {
  expect(describeDevice(visible, directory).device).toBe(`unknown, of ${hostname()}`);
});

it('the open kernel modules tell their version as well', () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'gpus'));
  const version =
    'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (dvs-builder@U16)\n';
  writeFileSync(join(directory, 'version'), version);
  expect(describeDevice(undefined, directory).driver).toBe('570.86.15');
});
