import { expected } from './errors.js'

/**
 * The options of `name`, which must be an object: read as one, a string or a number would have none of the fields, and every default would
 * take their place without a word. Throws INVALID_ARGUMENT.
 */
export function checkOptions<T extends object>(options: T, name: string): T {
  if (
    typeof options !== 'object' ||
    options === null ||
    Array.isArray(options) ||
    ArrayBuffer.isView(options)
  )
    throw expected('an object of options', name, options)
  return options
}
