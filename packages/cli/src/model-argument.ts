/** What is said of the argument `<model>`. */
export const modelArgument =
  'folder of a training run, or a configuration (JSON or YAML) of pretrained models alone'
