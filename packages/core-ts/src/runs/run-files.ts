/** Files of a run folder, besides the trainer's checkpoint.safetensors and model.safetensors. */
export const runFiles = {
  config: 'config.json',
  log: 'log.jsonl',
  tensorboard: 'tensorboard',
  quarantine: 'quarantine.jsonl',
  clips: 'clips.jsonl',
  plugins: 'plugins.json',
  madeWith: 'made-with.json',
  lock: 'run.lock',
  thresholds: 'thresholds',
} as const
