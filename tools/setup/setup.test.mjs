import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { newEnough } from './node.mjs'
import { installedMatches } from './packages.mjs'
import { inherited } from './run.mjs'
import { summaryOf } from './summary-reporter.mjs'

describe('installed packages', () => {
  const core = { 'node_modules/@sonotext/core': { link: true, resolved: 'packages/core' } }
  const lock = {
    packages: {
      '': {},
      'packages/core': {},
      ...core,
      'node_modules/a': { version: '1.0.0' },
      'node_modules/only-mac': { version: '2.0.0', optional: true, os: ['darwin'] },
    },
  }
  const installed = (packages) => installedMatches(lock, { packages: { ...core, ...packages } })

  it('match when every needed version is there', () => {
    expect(installed({ 'node_modules/a': { version: '1.0.0' } })).toBe(true)
    expect(installed({ 'node_modules/a': { version: '1.0.1' } })).toBe(false)
    expect(installed({})).toBe(false)
    expect(installedMatches(lock, undefined)).toBe(false)
    const wanted = { 'node_modules/decoder': { version: '1.0.0', optional: true } }
    expect(installedMatches({ packages: wanted }, { packages: {} })).toBe(false)
    const stale = { 'node_modules/a': { version: '1.0.0' }, 'node_modules/only-mac': { version: '1.0.0' } }
    expect(installed(stale)).toBe(false)
  })

  it('match when every package of the workspace is linked to its folder', () => {
    const versions = { 'node_modules/a': { version: '1.0.0' } }
    expect(installedMatches(lock, { packages: versions })).toBe(false)
    const moved = { 'node_modules/@sonotext/core': { link: true, resolved: 'packages/core-ts' } }
    expect(installed({ ...versions, ...moved })).toBe(false)
  })
})

describe('tools', () => {
  it('know which Node is new enough', () => {
    for (const version of ['v22.13.0', 'v22.14.1', 'v24.0.0']) expect(newEnough(version)).toBe(true)
    for (const version of ['v20.19.0', 'v22.12.0', 'v18.0.0']) expect(newEnough(version)).toBe(false)
  })
})

describe('commands', () => {
  it('pass their exit code on', async () => {
    const options = { cwd: tmpdir(), env: process.env }
    expect(await inherited(process.execPath, ['-e', 'process.exit(7)'], options)).toBe(7)
    expect(await inherited(process.execPath, ['-e', 'process.kill(process.pid, "SIGTERM")'], options)).toBe(
      143,
    )
  })
})

describe('the summary', () => {
  const module = { type: 'module', relativeModuleId: 'a.test.ts', state: () => 'failed' }
  const suite = { type: 'suite', name: 'clips (no real data)', parent: module }
  const test = (state, name = 'x', parent = module, note) => ({
    type: 'test',
    name,
    parent,
    module,
    result: () => ({ state, note }),
  })
  const summary = (tests, errors = []) =>
    summaryOf([{ ...module, children: { allTests: () => tests } }], errors)

  it('counts tests and names every reason for a skip', () => {
    const tests = [
      test('passed'),
      test('passed'),
      test('failed'),
      test('skipped', 'y', suite),
      test('skipped', 'z (at least 3)', suite),
      test('skipped', 'z (skipped: no GPU)'),
      test('skipped', 'z', suite, 'noted'),
      test('pending', 'never run'),
    ]
    expect(summary(tests)).toEqual([
      'skipped 2: no real data',
      'skipped 1: no GPU',
      'skipped 1: noted',
      'skipped 1: a.test.ts gives no reason',
      '2 passed, 1 failed, 5 skipped',
    ])
  })

  it('counts a file that cannot be read, and errors outside of tests', () => {
    expect(summary([], [new Error('late')])).toEqual([
      '1 errors outside of tests',
      '0 passed, 1 failed, 0 skipped',
    ])
  })
})
