"""Log-probabilities of given tokens and the top k of every position, by transformers: one by one or in padded batches.

Argument: {model, ids, lengths, batch, topK, rounds, threads}; `ids` is a file of int32 with the sequences end to end. Batches
are taken in the order given, padded on the right to their longest. Answers the sum of log-probabilities of each sequence.
"""

from measure import answer, best_and_median, memory_bytes, reset_peak, task, timed_ms

import numpy
import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import LlamaForCausalLM

options = task()
torch.set_num_threads(options["threads"])
idle_bytes = memory_bytes("VmRSS")

model = LlamaForCausalLM.from_pretrained(options["model"], dtype=torch.float32).eval()
every_id = torch.from_numpy(numpy.fromfile(options["ids"], dtype=numpy.int32).astype(numpy.int64))
sequences = torch.split(every_id, options["lengths"])


def score_batch(batch):
    """One sequence needs no mask; of a padded batch only the real positions are kept."""
    ids = pad_sequence(batch, batch_first=True)
    lengths = torch.tensor([len(sequence) for sequence in batch])
    mask = None if len(batch) == 1 else (torch.arange(ids.shape[1]) < lengths[:, None]).long()
    log_probabilities = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].log_softmax(-1)
    of_tokens = log_probabilities.gather(-1, ids[:, 1:, None])[..., 0]
    top = log_probabilities.topk(options["topK"], dim=-1)
    return [
        (of_tokens[row, : length - 1], top.values[row, : length - 1], top.indices[row, : length - 1])
        for row, length in enumerate(lengths.tolist())
    ]


def score():
    with torch.inference_mode():
        size = options["batch"]
        batches = [sequences[start : start + size] for start in range(0, len(sequences), size)]
        return [scored for batch in batches for scored in score_batch(batch)]


reset_peak()
first_ms, scored = timed_ms(score)
times_ms = [timed_ms(score)[0] for _ in range(options["rounds"])]

answer(
    sums=[of_tokens.sum().item() for of_tokens, _, _ in scored],
    firstMs=first_ms,
    **best_and_median(times_ms),
    idleBytes=idle_bytes,
    peakBytes=memory_bytes("VmHWM"),
)
