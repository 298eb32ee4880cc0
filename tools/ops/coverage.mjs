/** What people have still to write for the ops of the table, and what is left over, as lines. */
export function coverageProblems(ops, { kernels, cuda, reference, tolerance, fileOf }) {
  const names = new Set(ops.map(({ name }) => name))
  const families = new Set(ops.map(fileOf))
  const problems = []
  const definers = new Map()
  for (const [file, text] of kernels) {
    for (const name of entriesOf(text, names)) definers.set(name, file)
  }
  for (const op of ops) {
    const file = definers.get(op.name)
    const family = fileOf(op)
    if (file === undefined) problems.push(`cpu/kernels/${family}.inl has no entry ${op.name}`)
    else if (file !== `${family}.inl` && !file.startsWith(`${family}_`))
      problems.push(`cpu/kernels: ${op.name} is in ${file}, expected ${family}.inl`)
  }
  for (const family of families) {
    const file = `${family.replaceAll('_', '-')}.ts`
    if (!reference.includes(file)) problems.push(`backend/reference has no ${file}`)
  }
  for (const file of cuda.filter((name) => name.endsWith('.cu'))) {
    if (!families.has(file.slice(0, -3))) problems.push(`cuda/${file} is not named after an op`)
    if (!cuda.includes(`${file}h`)) problems.push(`cuda/${file} has no ${file}h`)
  }
  const rows = [...tolerance.match(/^export const tolerance\b[\s\S]*?\n\}/m)[0].matchAll(/^ {2}(\w+): /gm)]
  const tolerated = rows.map((match) => match[1])
  for (const name of names) if (!tolerated.includes(name)) problems.push(`testing/tolerance.ts lacks ${name}`)
  for (const name of tolerated)
    if (!names.has(name)) problems.push(`testing/tolerance.ts names ${name}, which is not an op`)
  return problems
}

/** Table entries that a kernel file defines; its other functions may take the same arguments. */
export function entriesOf(text, names) {
  const functions = [...text.matchAll(/^inline Status (\w+)\(const \w+Args&/gm)]
  return functions.map((match) => match[1]).filter((name) => names.has(name))
}
