"""Loads a model directory with transformers and compares its logits with a reference: prints one JSON object.

usage: load_model.py DIRECTORY INPUT_IDS.npy LOGITS.npy TEXT
"""
import json, sys
import numpy as np, torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

directory, ids, logits, text = sys.argv[1:]
model, info = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation='eager', output_loading_info=True)
with torch.no_grad():
    found = model(torch.from_numpy(np.load(ids)).long()).logits.numpy()
expected = np.load(logits)
print(json.dumps({
    'missing': sorted(info['missing_keys']), 'unexpected': sorted(info['unexpected_keys']),
    'largestDifference': float(np.abs(found - expected).max() / np.abs(expected).max()),
    'endOfSequence': GenerationConfig.from_pretrained(directory).eos_token_id,
    'ids': AutoTokenizer.from_pretrained(directory)(text)['input_ids'],
}))
