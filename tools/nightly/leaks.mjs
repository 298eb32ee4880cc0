/**
 * The leaks that a run under LeakSanitizer printed: those with a frame in the addon, and the others. Node leaves memory behind
 * when it ends; a list of what to suppress by name would hide what our own calls made Node allocate, so a leak counts as
 * ours as soon as one of its frames is. One thing Node-API gives no way to free: the promise of a call that was in flight when its
 * thread was terminated, 8 bytes inside napi_create_promise, which only settling would free.
 */
export function leaksOf(output, library = 'sonotext.node') {
  const leaks = output.split('\n\n').filter((block) => /^\s*(Direct|Indirect) leak of \d+ byte/m.test(block))
  const isOurs = (block) => {
    const frames = block.split('\n').filter((line) => /^\s*#\d+ /.test(line))
    return frames.some((line) => line.includes(library)) && !/\bnapi_create_promise\b/.test(frames[1] ?? '')
  }
  return {
    ours: leaks.filter(isOurs).map((block) => block.trim()),
    others: leaks.filter((block) => !isOurs(block)),
  }
}
