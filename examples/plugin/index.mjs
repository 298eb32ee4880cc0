// A plugin: parts of one's own for six families. `plugins: [./plugin/index.mjs]` in any configuration, or `--plugin`, loads it.
import { encoder } from './encoder.mjs'
import { features } from './features.mjs'
import { guard } from './guard.mjs'
import { loss } from './loss.mjs'
import { measure } from './measure.mjs'
import { strategy } from './strategy.mjs'

export default function plugin({ register }) {
  register('strategy', strategy)
  register('guard', guard)
  register('loss', loss)
  register('audio-encoder', encoder)
  register('features', features)
  register('measure', measure)
}
