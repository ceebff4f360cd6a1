"""Training steps by PyTorch on a Hugging Face llama directory: eager or torch.compile, float32 or bfloat16 autocast.

Argument: {model, ids, batch, length, steps, warmupSteps, threads, compiled, bfloat16, optimizer: {learningRate, beta1,
beta2, epsilon, weightDecay}}; `ids` is a file of int32 [steps, batch, length + 1]. Attention is transformers' default,
the optimizer torch's fused AdamW with decay on every parameter. Warm-up steps count for the losses, not for the times.
"""

from measure import answer, best_and_median, memory_bytes, reset_peak, task, timed_ms

import numpy
import torch
import torch.nn.functional as F
from transformers import LlamaForCausalLM

options = task()
torch.set_num_threads(options["threads"])
idle_bytes = memory_bytes("VmRSS")

model = LlamaForCausalLM.from_pretrained(options["model"], dtype=torch.float32)
model.train()
vocabulary_size = model.config.vocab_size
shape = (options["steps"], options["batch"], options["length"] + 1)
ids = torch.from_numpy(numpy.fromfile(options["ids"], dtype=numpy.int32).reshape(shape).astype(numpy.int64))
settings = options["optimizer"]
optimizer = torch.optim.AdamW(
    model.parameters(),
    lr=settings["learningRate"],
    betas=(settings["beta1"], settings["beta2"]),
    eps=settings["epsilon"],
    weight_decay=settings["weightDecay"],
    fused=True,
)


def loss_of(inputs, labels):
    logits = model(input_ids=inputs, use_cache=False).logits
    return F.cross_entropy(logits.float().reshape(-1, vocabulary_size), labels.reshape(-1))


loss_function = torch.compile(loss_of) if options["compiled"] else loss_of


def step(row):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options["bfloat16"]):
        loss = loss_function(row[:, :-1], row[:, 1:])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.item()


reset_peak()
losses, times_ms = [], []
for row in ids:
    elapsed_ms, loss = timed_ms(lambda: step(row))
    times_ms.append(elapsed_ms)
    losses.append(loss)

answer(
    losses=losses,
    firstMs=times_ms[0],
    **best_and_median(times_ms[options["warmupSteps"] :]),
    idleBytes=idle_bytes,
    peakBytes=memory_bytes("VmHWM"),
)
