import { expectedTensors } from '../../../../engine/files/model-tensors.js';
import { studentOf, type LayerChoice } from '../../../../engine/models/student.js';
import { configurations } from '../../../support/configurations.js';

const teacher = { ...configurations.qwen3, layers: 6 };

test('every second layer of the teacher becomes a layer of the student, and everything else stays', () => {
  const { config, sources, layers } = studentOf(teacher, { every: 2 });
  expect(layers).toEqual([0, 2, 4]);
  expect(config).toEqual({ ...teacher, layers: 3 });
  expect(Object.keys(sources)).toEqual([...expectedTensors(config).keys()]);
  expect(sources['model.layers.1.self_attn.q_norm.weight']).toBe('model.layers.2.self_attn.q_norm.weight');
  expect(sources['model.embed_tokens.weight']).toBe('model.embed_tokens.weight');
});

test('every tensor of a student has the shape of the one it begins as', () => {
  const { config, sources } = studentOf(teacher, { layers: [1, 5] });
  const [shapes, teacherShapes] = [expectedTensors(config), expectedTensors(teacher)];
  for (const [name, source] of Object.entries(sources)) expect(teacherShapes.get(source)).toEqual(shapes.get(name));
  expect(sources['model.layers.0.mlp.up_proj.weight']).toBe('model.layers.1.mlp.up_proj.weight');
  expect(sources['model.layers.1.mlp.up_proj.weight']).toBe('model.layers.5.mlp.up_proj.weight');
});

test.each<LayerChoice>([
  { every: 4 },
  { every: 0 },
  { every: 1.5 },
  { layers: [] },
  { layers: [2, 1] },
  { layers: [1, 1] },
  { layers: [0, 6] },
  { layers: [-1] },
])('layers that the teacher cannot give are refused: %j', (choice) => {
  expect(() => studentOf(teacher, choice)).toThrow(expect.objectContaining({ code: 'student-invalid' }));
});
