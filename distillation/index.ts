/** Teaching: datasets. */
export { openDatasetSource, sourceIdentitySchema, type DatasetSource } from './dataset-source.js';
export { importDataset } from './import-dataset.js';
export { fetchModel, identifyModelDirectory, storeModelDirectory } from './model-artifact.js';
