/** Teaching: datasets. */
export { openDatasetSource, sourceIdentitySchema, type DatasetSource, type SourceIdentity } from './dataset-source.js';
export { importDataset, type ImportRequest } from './import-dataset.js';
export type { ImportProgress } from './import-work.js';
