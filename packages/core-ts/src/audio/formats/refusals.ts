import { SonotextError } from '../../base/errors.js'

/** What stands in the way of reading a file, in the words that all readers share. */
export function damaged(
  what: string,
  file: string,
  remedy = 'The file is cut short or damaged: copy or download it again, or leave it out.',
): SonotextError {
  return new SonotextError('INVALID_FILE', what, { file, remedy })
}

/** An intact header that says what cannot be. */
export function contradiction(what: string, file: string): SonotextError {
  return damaged(what, file, 'The header contradicts itself: export the file again.')
}

/** Audio that others can read: the way out is named. */
export function unsupported(wanted: string, found: string, file: string): SonotextError {
  return new SonotextError('UNSUPPORTED', `Expected ${wanted}, found ${found}.`, {
    file,
    remedy: `Let ffmpeg read it (--ffmpeg, or decoders: [ffmpegDecoder()] in code), or convert it: ffmpeg -i ${JSON.stringify(file)} -c:a pcm_s16le out.wav`,
  })
}
