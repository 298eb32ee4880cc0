// The CommonJS twin of a package's ES modules: for jest and other loaders that cannot require an ES module. One file for one
// file, at the same depth, so that paths relative to a module hold.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import ts from 'typescript'

/**
 * Writes `cjs/` beside `dist/` of a staged package.
 * @param source the package's folder in the repository, where its dependencies are found
 * @param dependencies their names
 */
export function writeCommonJs(folder, source, dependencies = []) {
  const [from, to] = [join(folder, 'dist'), join(folder, 'cjs')]
  const within = modulesAlone(source, dependencies)
  mkdirSync(to, { recursive: true })
  writeFileSync(join(to, 'package.json'), '{ "type": "commonjs" }\n')
  // Declarations written by hand stand in src, which says it is ES modules: the twin has its own.
  const byHand = join(folder, 'src')
  const isDeclaration = (name) => !name.includes('.') || name.endsWith('.d.ts')
  if (existsSync(byHand))
    cpSync(byHand, join(to, 'src'), { recursive: true, filter: (path) => isDeclaration(basename(path)) })
  for (const entry of readdirSync(from, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const target = join(to, relative(from, file))
    mkdirSync(dirname(target), { recursive: true })
    const text = readFileSync(file, 'utf8')
    if (!file.endsWith('.js')) writeFileSync(target, text.replaceAll("'../src/", "'./src/"))
    else {
      const copied = (name) => `./${relative(dirname(target), join(to, 'dependencies', name, 'index.js'))}`
      writeFileSync(
        target,
        Object.keys(within).reduce(
          (script, name) => script.replaceAll(`require("${name}")`, `require("${copied(name)}")`),
          toCommonJs(text),
        ),
      )
    }
  }
  for (const [name, { script, licence }] of Object.entries(within)) {
    mkdirSync(join(to, 'dependencies', name), { recursive: true })
    writeFileSync(join(to, 'dependencies', name, 'index.js'), toCommonJs(script))
    writeFileSync(join(to, 'dependencies', name, 'LICENSE'), licence)
  }
}

/**
 * Dependencies that are ES modules and nothing else, which jest cannot require: the twin has them within, with their licence. Those of one file
 * that imports nothing.
 */
function modulesAlone(source, dependencies) {
  const resolve = createRequire(join(source, 'package.json')).resolve
  const others = dependencies.filter((name) => !name.startsWith('@sonotext/'))
  return Object.fromEntries(
    others.flatMap((name) => {
      const main = resolve(name)
      const folder = main.slice(
        0,
        main.lastIndexOf(join('node_modules', name)) + join('node_modules', name).length,
      )
      const { type, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      if (type !== 'module' || JSON.stringify(exports ?? {}).includes('"require"')) return []
      const script = readFileSync(main, 'utf8')
      const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file))
      if (/^import /m.test(script) || licence === undefined)
        throw new Error(`${name} is ES modules alone, and cannot stand in the CommonJS twin.`)
      return [[name, { script, licence: readFileSync(join(folder, licence), 'utf8') }]]
    }),
  )
}

/** Static imports become `require`; `import()` stays, since plugins and some decoders are ES modules. */
export function toCommonJs(text) {
  const usesUrl = text.includes('import.meta.url')
  const { outputText } = ts.transpileModule(text.replaceAll('import.meta.url', '__moduleUrl'), {
    fileName: 'module.cjs', // with this ending TypeScript writes CommonJS and leaves import() alone
    compilerOptions: {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      allowJs: true,
      esModuleInterop: true,
    },
  })
  if (!usesUrl) return outputText
  const url = "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;\n"
  return outputText.replace(/^("use strict";\n)?/, (strict) => strict + url)
}
