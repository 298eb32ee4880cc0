#!/usr/bin/env node
// Writes docs/errors.md, the page of errors, from the source: what every code means is said at `ErrorCode`, messages and remedies where
// they are thrown. `--check` says whether the page is up to date and writes nothing.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import ts from 'typescript'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const page = join(root, 'docs', 'errors.md')
const folders = ['core-ts', 'scenes', 'cli', 'bench'].map((name) => join(root, 'packages', name, 'src'))

/** `{ code, message, remedy, where }` of everything thrown with a code and words of its own. */
function thrownIn(file) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
  const found = []
  const visit = (node) => {
    if (ts.isNewExpression(node) && node.expression.getText() === 'SonotextError') {
      const [code, message, details] = node.arguments ?? []
      if (code !== undefined && ts.isStringLiteral(code))
        found.push({ code: code.text, message: wordsOf(message), remedy: remedyIn(details) })
    }
    if (ts.isCallExpression(node) && node.expression.getText() === 'expected') {
      const [what, name, , details] = node.arguments
      const remedy = remedyIn(details)
      const message = `Expected ${wordsOf(what)} for ${wordsOf(name)}, got ….`
      if (remedy !== '') found.push({ code: 'INVALID_ARGUMENT', message, remedy })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found.map((row) => ({ ...row, where: relative(join(root, 'packages'), dirname(file)) }))
}

/** The words of an expression; what is only known when it is thrown is "…". */
function wordsOf(node) {
  if (node === undefined) return ''
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return wordsOf(node.left) + wordsOf(node.right)
  return '…'
}

function remedyIn(details) {
  if (details === undefined || !ts.isObjectLiteralExpression(details)) return ''
  for (const property of details.properties)
    if (ts.isPropertyAssignment(property) && property.name.getText() === 'remedy') {
      const words = wordsOf(property.initializer)
      return words === '…' ? '' : words
    }
  return ''
}

/** `{ code, meaning }` in the order of the type. */
function codes() {
  const file = join(root, 'packages', 'core-ts', 'src', 'base', 'errors.ts')
  const text = readFileSync(file, 'utf8')
  const union = /export type ErrorCode =([^]*?)\n\n/.exec(text)[1]
  return [...union.matchAll(/\/\*\* ([^]*?) \*\/\s+\| '([A-Z_]+)'/g)].map(([, meaning, code]) => ({
    code,
    meaning,
  }))
}

const cell = (text) => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;').trim()

function render() {
  const thrown = folders
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    .filter((file) => file.endsWith('.ts') && !/\.test\.ts$|[/\\]testing[/\\]/.test(file))
    .sort()
    .flatMap(thrownIn)
  const all = codes()
  const unsaid = thrown.find(({ code }) => !all.some((known) => known.code === code))
  if (unsaid !== undefined)
    throw new Error(`ErrorCode says nothing of ${unsaid.code}, thrown in ${unsaid.where}.`)
  const sections = all.map(({ code, meaning }) => {
    // Without words of its own a message cannot be looked up.
    const rows = thrown.filter((row) => row.code === code && row.message.replace(/[^a-z]/gi, '').length > 12)
    const lines = rows.map(
      ({ message, remedy, where }) => `| ${cell(message)} | ${cell(remedy)} | ${where} |`,
    )
    const distinct = [...new Set(lines)]
    const table = ['| message | what to do | thrown in |', '| --- | --- | --- |', ...distinct]
    return [`## ${code}`, '', meaning, ...(distinct.length > 0 ? ['', ...table] : [])].join('\n')
  })
  return `# Errors

<!-- Written by tools/error-docs.mjs: change the source, not this page. -->

Everything that the library throws on purpose is a \`SonotextError\`: \`code\` is stable, \`message\` says what was expected, for which name
and what was found, \`remedy\` what to do, \`file\` which file it is about. Errors of the addon have \`code\`, \`op\` and \`argument\`. The command line prints
the message and ends with status 2 for what was asked wrongly and 1 for what went wrong; \`--json\` prints the code.

Most messages that say "Expected … for …, got …." are INVALID_ARGUMENT; below stand those that have a remedy. "…" is what is only known when
it happens.

${sections.join('\n\n')}
`
}

const text = await format(render(), { ...(await resolveConfig(page)), parser: 'markdown' })
if (process.argv.includes('--check')) {
  if (text !== readFileSync(page, 'utf8')) {
    console.error('docs/errors.md is not what the source says: run node tools/error-docs.mjs')
    process.exitCode = 1
  } else console.log('errors: docs/errors.md is up to date')
} else {
  writeFileSync(page, text)
  console.log(`errors: wrote ${relative(root, page)}`)
}
