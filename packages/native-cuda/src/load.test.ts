import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { AddonLoadError, candidates, cLibrary, systemName, tryLoad } from './load.js'

const folder = mkdtempSync(join(tmpdir(), 'sonotext-load-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('loading the addon', () => {
  it('looks in the build folder first, and only at SONOTEXT_ADDON when that is set', () => {
    expect(candidates('/p', {})[0]).toBe(join('/p', 'build', 'Release', 'sonotext.node'))
    expect(candidates('/p', { SONOTEXT_ADDON: '/x/y.node' })).toEqual(['/x/y.node'])
  })

  it('looks for a prebuilt file of the same C library', () => {
    const prebuilt = (name: string) => join('/p', 'prebuilt', name, 'sonotext.node')
    expect(candidates('/p', {})[1]).toBe(prebuilt(systemName()))
    expect(systemName('musl')).toBe(`${process.platform}-${process.arch}-musl`)
    expect(systemName(null)).toBe(`${process.platform}-${process.arch}`)
    expect(cLibrary({ header: { glibcVersionRuntime: '2.36' } })).toBe('glibc')
    expect(cLibrary({ header: {} })).toBe('musl')
  })

  it('asks for the C library only when a prebuilt file may be needed', () => {
    const checkout = join(folder, 'checkout')
    const built = join(checkout, 'build', 'Release', 'sonotext.node')
    mkdirSync(join(built, '..'), { recursive: true })
    writeFileSync(built, '')
    expect(candidates(checkout, {})).toEqual([built])
    mkdirSync(join(checkout, 'prebuilt'))
    expect(candidates(checkout, {})).toHaveLength(2)
  })

  it.skipIf(process.platform !== 'linux')('knows the C library of this system (Linux only)', () => {
    const maps = readFileSync('/proc/self/maps', 'utf8')
    expect(systemName()).toBe(`linux-${process.arch}-${maps.includes('/ld-musl-') ? 'musl' : 'glibc'}`)
  })

  it('resolves SONOTEXT_ADDON from the working folder and names the variable in the message', () => {
    const [path] = candidates('/p', { SONOTEXT_ADDON: './some/x.node' })
    expect(path).toBe(join(process.cwd(), 'some', 'x.node'))
    const { message } = new AddonLoadError([{ path: path!, problem: null }], './some/x.node')
    expect(message).toContain(`${path}: no such file`)
    expect(message).toContain('SONOTEXT_ADDON=./some/x.node): correct it, or unset it')
    expect(new AddonLoadError([{ path: '/p/x.node', problem: null }], undefined).message).not.toContain(
      'SONOTEXT_ADDON',
    )
  })

  it('says what was tried and what to run when there is nothing', () => {
    const paths = [join(folder, 'a.node'), join(folder, 'b.node')]
    const error = tryLoad(paths)
    expect(error).toBeInstanceOf(AddonLoadError)
    const { message, code } = error as AddonLoadError
    expect(code).toBe('BACKEND_UNAVAILABLE')
    for (const path of paths) expect(message).toContain(`${path}: no such file`)
    expect(message).toContain('It was not built yet')
    expect(message).toContain('npm run setup')
    expect(message).toContain('apt install g++ cmake')
    expect(message).toContain(`${process.platform}-${process.arch}`)
  })

  it('says why a file that is there cannot be loaded, and goes on to the next', () => {
    const broken = join(folder, 'broken.node')
    writeFileSync(broken, 'not a library')
    const error = tryLoad([broken, join(folder, 'missing.node')]) as AddonLoadError
    expect(error.attempts).toHaveLength(2)
    expect(error.attempts[0]!.problem).toMatch(/broken\.node/)
    expect(error.message).toContain('does not fit this system')
    expect(tryLoad([broken, ...candidates()])).toHaveProperty('runAsync')
  })
})
