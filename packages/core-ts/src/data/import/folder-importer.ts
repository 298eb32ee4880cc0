import { isFolder } from '../collection.js'
import { columnRoles, type FolderColumns } from './columns.js'
import { importFolder } from './folder.js'
import { importerPart, usualSplitOf } from './importer.js'

const columnName = { type: 'string', minLength: 1 } as const
const columnSchemas = Object.fromEntries(
  columnRoles.map((role) => [
    role,
    role === 'caption'
      ? { anyOf: [columnName, { type: 'array', items: columnName }, { const: null }] }
      : columnName,
  ]),
)

export const folderImporter = importerPart({
  name: 'folder',
  description:
    'Any CSV with a column of files and one of captions; or a folder of audio files, which gives clips without captions.',
  schema: {
    properties: {
      columns: {
        type: 'object',
        properties: columnSchemas,
        additionalProperties: false,
        default: {},
        description: `Names of the columns of ${columnRoles.join(', ')}; without one the usual names are looked for.`,
      },
      filePattern: {
        type: 'string',
        minLength: 1,
        description: 'Names of the audio files made from columns, such as {ytid}_{start}.flac.',
      },
      delimiter: { type: 'string', minLength: 1, description: 'What separates cells; without it found out.' },
      foreign: {
        type: 'boolean',
        default: false,
        description:
          'Whether a folder’s files of formats that only other programs read, such as M4A, are clips too.',
      },
    },
  },
  fromConfig: ({ columns, foreign, ...options }) => ({
    async read({ path, audio, split = usualSplitOf(path), onNote }) {
      const told = { ...(split && { split }), ...(onNote && { onNote }) }
      if (await isFolder(path)) return importFolder(path, { ...told, foreign })
      return importFolder(audio, { captions: path, columns: columns as FolderColumns, ...options, ...told })
    },
  }),
})
