import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/**
 * A folder laid out like an installed Node's, with the Node-API headers of the npm packages only: nothing is downloaded,
 * and nothing but Node-API can be used by accident. `from` is the package that depends on them. Returns the folder.
 */
export function layOutHeaders(from, folder) {
  const require = createRequire(join(from, 'package.json'))
  const include = join(folder, 'include', 'node')
  mkdirSync(include, { recursive: true })
  const sources = [join(dirname(require.resolve('node-api-headers/package.json')), 'include')]
  sources.push(dirname(require.resolve('node-addon-api/package.json')))
  for (const source of sources) {
    for (const name of readdirSync(source)) {
      if (name.endsWith('.h')) cpSync(join(source, name), join(include, name))
    }
  }
  const common = {
    variables: { 'node_engine%': 'v8', 'standalone_static_library%': 0 },
    target_defaults: { default_configuration: 'Release', configurations: { Debug: {}, Release: {} } },
  }
  writeFileSync(join(include, 'common.gypi'), JSON.stringify(common))
  writeFileSync(join(include, 'config.gypi'), JSON.stringify({ variables: {}, target_defaults: {} }))
  return folder
}
