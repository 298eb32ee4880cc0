import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { describe } from '../base/errors.js'
import { nearest } from '../base/nearest.js'
import type { ManifestLine } from './manifest-line.js'
import schema from './manifest.schema.json' with { type: 'json' }

let compiled: ValidateFunction<ManifestLine> | undefined

/** Names people use for our fields. */
const meant: Record<string, string> = {
  file: 'audio',
  filename: 'audio',
  filepath: 'audio',
  path: 'audio',
  wav: 'audio',
  audiopath: 'audio',
  audiofile: 'audio',
  name: 'id',
  clipid: 'id',
  text: 'captions',
  texts: 'captions',
  labels: 'tags',
  keywords: 'tags',
  sr: 'sampleRate',
  samplingrate: 'sampleRate',
  subset: 'split',
  fold: 'split',
  metadata: 'extra',
  meta: 'extra',
}
const meantInEvent: Record<string, string> = {
  start: 'onset',
  end: 'offset',
  gain: 'level',
  name: 'label',
  class: 'label',
}
const meantInCaption: Record<string, string> = { caption: 'text', raw: 'text', words: 'tokens' }

/** What is wrong with a parsed line, as a sentence and perhaps a remedy; undefined when nothing is. */
export function manifestProblem(line: unknown): { message: string; remedy?: string } | undefined {
  compiled ??= new Ajv2020({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    verbose: true,
  }).compile<ManifestLine>(schema)
  if (compiled(line)) return undefined
  const errors = withoutOtherBranch(compiled.errors!)
  // An unknown field often explains a missing one ("file" for "audio"), so it comes first.
  const error = errors.find((e) => e.keyword === 'additionalProperties') ?? errors[0]!
  return sentence(error)
}

/**
 * A caption may be a text or an object. Of the errors of that choice only those count that fit what the user wrote: for an
 * object the object's own, for anything else the choice itself.
 */
function withoutOtherBranch(errors: ErrorObject[]): ErrorObject[] {
  const choices = errors.filter((error) => error.keyword === 'anyOf')
  return errors.filter((error) => {
    const choice = choices.find((c) => `${error.instancePath}/`.startsWith(`${c.instancePath}/`))
    if (choice === undefined) return true
    const isObject = typeof choice.data === 'object' && choice.data !== null && !Array.isArray(choice.data)
    return error === choice ? !isObject : isObject && !error.schemaPath.includes('/anyOf/0/')
  })
}

function sentence(error: ErrorObject): { message: string; remedy?: string } {
  const where = fieldName(error.instancePath)
  switch (error.keyword) {
    case 'additionalProperties': {
      const unknown = error.params.additionalProperty as string
      const known = Object.keys((error.parentSchema as { properties: object }).properties)
      const aliases = where === '' ? meant : where.startsWith('events') ? meantInEvent : meantInCaption
      const suggestion = aliases[unknown.toLowerCase().replace(/[_-]/g, '')] ?? nearest(unknown, known)
      const inside = where === '' ? '' : ` in ${where}`
      return {
        message: `unknown field "${unknown}"${inside}.`,
        remedy:
          suggestion === undefined
            ? `Known fields: ${known.join(', ')}.${where === '' ? ' Put anything else under "extra".' : ''}`
            : `Did you mean "${suggestion}"?`,
      }
    }
    case 'required': {
      const inside = where === '' ? '' : ` in ${where}`
      return { message: `the field "${error.params.missingProperty}" is missing${inside}.` }
    }
    case 'type':
    case 'anyOf': {
      const wanted =
        error.keyword === 'anyOf' ? 'a text or an object with "text"' : article(error.params.type)
      const name = where === '' ? 'the line' : where
      return { message: `expected ${wanted} for ${name}, got ${describe(error.data)}.` }
    }
    case 'minLength':
      return { message: `${where} is empty.` }
    default:
      return {
        message: `expected ${where} to be ${error.message?.replace(/^must be /, '')}, got ${describe(error.data)}.`,
      }
  }
}

/** "/captions/2/text" → captions[2].text */
function fieldName(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('')
}

function article(type: string | string[]): string {
  const name = Array.isArray(type) ? type.join(' or ') : type
  return `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`
}
