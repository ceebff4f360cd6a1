"""Greedy generation by transformers' `generate` with its default KV cache.

Argument: {model, ids, batch, length, newTokens, rounds, threads}; `ids` is a file of int32 [batch, length]. Answers the
new tokens of every sequence and the times of whole calls, prefill included; a first call warms up.
"""

from measure import answer, best_and_median, memory_bytes, reset_peak, task, timed_ms

import numpy
import torch
from transformers import LlamaForCausalLM

options = task()
torch.set_num_threads(options["threads"])
idle_bytes = memory_bytes("VmRSS")

model = LlamaForCausalLM.from_pretrained(options["model"], dtype=torch.float32).eval()
shape = (options["batch"], options["length"])
prompts = torch.from_numpy(numpy.fromfile(options["ids"], dtype=numpy.int32).reshape(shape).astype(numpy.int64))


def generate():
    with torch.inference_mode():
        return model.generate(
            input_ids=prompts,
            attention_mask=torch.ones_like(prompts),
            max_new_tokens=options["newTokens"],
            do_sample=False,
            use_cache=True,
            eos_token_id=None,
            pad_token_id=0,
        )


reset_peak()
first_ms, sequences = timed_ms(generate)
times_ms = [timed_ms(generate)[0] for _ in range(options["rounds"])]

answer(
    tokens=sequences[:, options["length"] :].tolist(),
    firstMs=first_ms,
    **best_and_median(times_ms),
    idleBytes=idle_bytes,
    peakBytes=memory_bytes("VmHWM"),
)
