// The CommonJS twin of a package's ES modules: for jest and other loaders that cannot require an ES module. One file for one
// file, at the same depth, so that paths relative to a module hold.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import ts from 'typescript'

/** Writes `cjs/` beside `dist/` of a staged package. */
export function writeCommonJs(folder) {
  const [from, to] = [join(folder, 'dist'), join(folder, 'cjs')]
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
    writeFileSync(target, file.endsWith('.js') ? toCommonJs(text) : text.replaceAll("'../src/", "'./src/"))
  }
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
