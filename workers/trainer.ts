/** The process that trains: claims its stage, goes on from its last checkpoint, seals it. */
import { NightstillError } from '../config/errors.js';
import { runChild } from './child-link.js';

void runChild(() => Promise.reject(new NightstillError('engine-unavailable', 'expected a trainer, found none')));
