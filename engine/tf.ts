/**
 * The one import of TensorFlow.js. It is the union package, because tfjs-core alone registers no gradients under Node; its
 * engine and its kernel registry are global, so functions written against this import also run on the backend of
 * tfjs-node when that one is loaded. In its production mode tfjs prints nothing.
 */
import * as tf from '@tensorflow/tfjs';

tf.enableProdMode();

export { tf };
