import { type DecodePolicy, ffmpegDecoder } from '@sonotext/core/audio'

/** The options --max-seconds, --max-expansion, --accept-cut and --ffmpeg of commands that read recordings. */
export interface DecodeFlags {
  maxSeconds?: number
  maxExpansion?: number
  acceptCut?: boolean
  ffmpeg?: boolean
}

/** What the library wants to know of them; only what was given. */
export function decodePolicyOf({ maxSeconds, maxExpansion, acceptCut, ffmpeg }: DecodeFlags): DecodePolicy {
  return {
    ...(maxSeconds === undefined ? {} : { maxSeconds }),
    ...(maxExpansion === undefined ? {} : { maxExpansion }),
    ...(acceptCut === undefined ? {} : { acceptCut }),
    ...(ffmpeg === true ? { decoders: [ffmpegDecoder()] } : {}),
  }
}
