import { lstat } from 'node:fs/promises'
import { type DecodeOptions, decodeStream } from '@sonotext/core/audio'
import { isSonotextError, throwIfAborted } from '@sonotext/core/base'

/** Why a recording will not be read, as far as its header tells: no sample is decoded. null where nothing is wrong. */
export async function unreadReason(path: string, options: DecodeOptions): Promise<string | null> {
  try {
    await using audio = await decodeStream(path, options)
    return audio.cutShort ?? null
  } catch (error) {
    throwIfAborted(options.signal)
    if (!isSonotextError(error)) throw error
    if (error.code !== 'MISSING_FILE') return error.message.replace(`${path}: `, '')
    const link = await lstat(path).then(
      (info) => info.isSymbolicLink(),
      () => false,
    )
    return link ? 'a link whose target is missing' : 'not there'
  }
}
