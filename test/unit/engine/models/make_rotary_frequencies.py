"""Writes rotary-frequencies.json: the inverse frequencies of transformers, as the bits of their float32 values."""
import json, os, struct
import transformers
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

LLAMA3 = {'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0, 'original_max_position_embeddings': 8192}
CASES = [
    (64, 1e4, None), (64, 1e6, None), (128, 5e5, None), (80, 1e4, {'rope_type': 'linear', 'factor': 3.0}),
    (64, 5e5, {**LLAMA3, 'factor': 32.0}), (128, 5e5, LLAMA3),
    (12, 5e5, {**LLAMA3, 'original_max_position_embeddings': 32}),
]
cases = []
for head_size, theta, scaling in CASES:
    parameters = {**(scaling or {'rope_type': 'default'}), 'rope_theta': theta}
    config = LlamaConfig(hidden_size=head_size, num_attention_heads=1, num_key_value_heads=1, rope_parameters=parameters)
    frequencies = LlamaRotaryEmbedding(config).inv_freq
    bits = [struct.unpack('<I', struct.pack('<f', value))[0] for value in frequencies.tolist()]
    cases.append({'headSize': head_size, 'theta': theta, 'scaling': scaling, 'bits': bits})
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'rotary-frequencies.json'), 'w') as file:
    json.dump({'transformers': transformers.__version__, 'cases': cases}, file)
    file.write('\n')
