"""What MXNet answers: run by the Python that has MXNet, in a process of its own; see mxnet_parity.py.

`mxnet_answers.py FOLDER [PREFIX ...]` makes the checkpoint `operators` in FOLDER; then, for it and for each PREFIX
there, it runs the checkpoint's `fc1` on `PREFIX-input.npy`, writes `PREFIX-answer.npy`, and saves the checkpoint
again as `PREFIX-saved`, so that what is read is what MXNet writes.
"""

import sys
from pathlib import Path

import mxnet as mx  # type: ignore[import-not-found]
import numpy as np


def operators_symbol():
    """Use what the two recognisers do not: each other operator that is read, with settings unlike the defaults."""
    data = mx.sym.Variable("data")
    x = (mx.sym.identity(data) - 127.5) / 128
    x = mx.sym.Convolution(x, num_filter=8, kernel=(3, 3), stride=(2, 2), pad=(2, 1), dilate=(2, 1), name="conv")
    x = mx.sym.BatchNorm(x, name="bn_defaults")
    x = mx.sym.LeakyReLU(x, act_type="leaky", slope=0.1)
    x = mx.sym.Pooling(x, kernel=(3, 3), stride=(2, 2), pad=(0, 1), pool_type="max", pooling_convention="full")
    x = mx.sym.Pooling(x, kernel=(3, 2), stride=(2, 2), pad=(1, 0), pool_type="avg")
    x = mx.sym.Pooling(x, kernel=(3, 3), stride=(1, 1), pad=(1, 1), pool_type="avg", count_include_pad=False)
    squeezed = mx.sym.Pooling(x, kernel=(7, 7), global_pool=True, pool_type="avg")
    squeezed = mx.sym.Convolution(squeezed, num_filter=4, kernel=(1, 1), num_group=2, name="se1")
    squeezed = mx.sym.LeakyReLU(squeezed, act_type="prelu", name="se1_relu")
    squeezed = mx.sym.Convolution(squeezed, num_filter=8, kernel=(1, 1), no_bias=True, name="se2")
    x = mx.sym.broadcast_mul(x, mx.sym.Activation(squeezed, act_type="sigmoid"))
    x = mx.sym.broadcast_add(x, mx.sym.Pooling(x, kernel=(7, 7), global_pool=True, pool_type="max")) + 0.5
    x = mx.sym.Activation(x, act_type="tanh") * mx.sym.Activation(x, act_type="relu") + x
    x = mx.sym.Flatten(mx.sym.Dropout(x, p=0.4))
    x = mx.sym.FullyConnected(x, num_hidden=96, no_bias=True, flatten=False, name="pre_fc1")
    x = mx.sym.BatchNorm(x, fix_gamma=False, eps=1e-4, name="fc1")
    # A head as in training, which must be cut away.
    return mx.sym.SoftmaxOutput(mx.sym.L2Normalization(x), name="softmax")


def make_operators_checkpoint(folder):
    symbol = operators_symbol()
    random = np.random.default_rng(0)
    shapes, _, auxiliary = symbol.infer_shape(data=(1, 3, 112, 112))
    parameters = {
        name: mx.nd.array(random.normal(0, 0.5, shape))
        for name, shape in zip(symbol.list_arguments(), shapes, strict=True)
        if name not in ("data", "softmax_label")
    }
    states = {
        name: mx.nd.array(random.uniform(0.5, 1.5, shape))
        for name, shape in zip(symbol.list_auxiliary_states(), auxiliary, strict=True)
    }
    mx.model.save_checkpoint(str(folder / "operators"), 0, symbol, parameters, states)
    np.save(folder / "operators-input.npy", random.integers(0, 256, (2, 112, 112, 3)).astype(np.uint8))


def answer(folder, prefix):
    symbol, parameters, states = mx.model.load_checkpoint(str(folder / prefix), 0)
    mx.model.save_checkpoint(str(folder / f"{prefix}-saved"), 0, symbol, parameters, states)
    photos = np.load(folder / f"{prefix}-input.npy").transpose(0, 3, 1, 2).astype(np.float32)
    embedding = symbol.get_internals()["fc1_output"]
    bound = {name: parameters[name] for name in embedding.list_arguments() if name != "data"}
    bound["data"] = mx.nd.array(photos)
    executor = embedding.bind(mx.cpu(), bound, aux_states=states, grad_req="null")
    np.save(folder / f"{prefix}-answer.npy", executor.forward(is_train=False)[0].asnumpy())


if __name__ == "__main__":
    make_operators_checkpoint(Path(sys.argv[1]))
    for name in ("operators", *sys.argv[2:]):
        answer(Path(sys.argv[1]), name)
