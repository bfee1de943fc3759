"""scikit-learn's MLPClassifier; without a hidden layer it is softmax regression. Usage: FOLDER."""

import os

import numpy as np
import sklearn
from serving import parameter_shapes, serve, shuffled_batches
from sklearn.neural_network import MLPClassifier


def make_stepper(request, images, labels):
    B = request["batch"]
    classifier = MLPClassifier(
        hidden_layer_sizes=(request["hidden"],) if request["hidden"] else (),
        solver="sgd",
        batch_size=B,
        learning_rate_init=request["learningRate"],
        momentum=request["momentum"],
        nesterovs_momentum=True,
        alpha=request["weightDecay"] * B,  # which it divides by the number of samples of a batch
        random_state=0,
    )
    random = np.random.default_rng(0)
    batches = shuffled_batches(random.permutation, len(labels), B)
    pixels, x = np.empty((B, 3072), np.uint8), np.empty((B, 3072), np.float32)

    def step():
        chosen = next(batches)
        np.take(images, chosen, axis=0, out=pixels, mode="clip")
        np.subtract(pixels, np.float32(128), out=x, dtype=np.float32)
        np.multiply(x, np.float32(1 / 64), out=x)
        classifier.partial_fit(x, labels[chosen], classes=np.arange(10))

    step()
    for coefficients, (_, _, deviation) in zip(classifier.coefs_, parameter_shapes(request)):
        coefficients[...] = random.standard_normal(coefficients.shape, np.float32) * np.float32(deviation)
    return step, lambda: classifier.loss_


sklearn.set_config(assume_finite=True)  # spares it a look at every pixel
settings = f"BLAS threads: {os.environ['OPENBLAS_NUM_THREADS']}"
serve(f"scikit-learn {sklearn.__version__}", settings, make_stepper)
