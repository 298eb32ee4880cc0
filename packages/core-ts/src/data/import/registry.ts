import { Family } from '../../registry/index.js'
import { audioCapsImporter } from './audiocaps.js'
import { audioGroundingImporter } from './audio-grounding.js'
import { clothoImporter } from './clotho.js'
import { folderImporter } from './folder-importer.js'
import type { Importer } from './importer.js'
import { matchesImporter } from './matches.js'
import { segmentsImporter } from './segments.js'
import { wavText5KImporter } from './wavtext5k.js'

/** How captions of other data sets are read: `importers.build('clotho').read({ path, audio })`. */
export const importers = new Family<Importer>('importer', [
  clothoImporter,
  audioCapsImporter,
  wavText5KImporter,
  matchesImporter,
  audioGroundingImporter,
  segmentsImporter,
  folderImporter,
])
