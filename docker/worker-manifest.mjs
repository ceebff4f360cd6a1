/**
 * Within an image, before `npm ci --omit=dev`: makes the packages of Temporal that a worker runs on dependencies. The package
 * declares them as peers, which an application brings, and as its own only for development. The lockfile stays as it is, so
 * npm installs the versions that the tests ran with. Changes package.json of the current directory.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
for (const name of Object.keys(manifest.peerDependencies)) {
  if (!name.startsWith('@temporalio/')) continue;
  manifest.dependencies[name] = manifest.devDependencies[name];
  delete manifest.devDependencies[name];
}
writeFileSync('package.json', `${JSON.stringify(manifest, null, 2)}\n`);
