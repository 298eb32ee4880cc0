// What of a build nobody who installs it could read: comments of scripts, which stand in the declarations, references to source maps that
// are not in the package, declarations of modules that no export leads to, and data that only tests import.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

/** A module without comments, the reference to a source map among them. */
export function withoutComments(text) {
  const { outputText } = ts.transpileModule(text, {
    fileName: 'module.mjs', // ES modules in, ES modules out
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ESNext,
      allowJs: true,
      removeComments: true,
      verbatimModuleSyntax: true,
    },
  })
  return outputText
}

/** Of these declarations, as paths in a package's folder, those that its exports lead to. */
export function reachable(folder, declarations, exports) {
  const roots = Object.values(exports).flatMap((target) =>
    typeof target === 'string' || target.types === undefined ? [] : [pattern(target.types)],
  )
  const found = declarations.filter((file) => roots.some((root) => root.test(`./${file}`)))
  const seen = new Set(found)
  for (let file; (file = found.pop()) !== undefined;) {
    for (const path of imported(readFileSync(join(folder, file), 'utf8'))) {
      const target = join(dirname(file), path.replace(/\.js$/, '.d.ts'))
      if (seen.has(target) || !existsSync(join(folder, target))) continue
      seen.add(target)
      found.push(target)
    }
  }
  return declarations.filter((file) => seen.has(file))
}

/** Of these files, as paths in a package's folder, the data that its scripts import. */
export function importedData(folder, files) {
  const scripts = files.filter((file) => file.endsWith('.js') && !file.endsWith('.test.js'))
  const targets = scripts.flatMap((file) =>
    imported(readFileSync(join(folder, file), 'utf8')).map((path) => join(dirname(file), path)),
  )
  return files.filter((file) => file.endsWith('.json') && targets.includes(file))
}

/** `./dist/*` + `/index.d.ts` as Node.js reads it: the star stands for any path. */
function pattern(target) {
  const parts = target.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.+')}$`)
}

/** Relative modules that a declaration or a script names. */
function imported(text) {
  return [...text.matchAll(/(?:\bfrom\s*|\bimport\(?\s*)(['"])(\.[^'"]+)\1/g)].map(([, , path]) => path)
}
