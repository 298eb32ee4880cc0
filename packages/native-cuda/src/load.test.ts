import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { explainAttempts } from './explain.js'
import { AddonLoadError, candidates, packageVersion, tryLoad } from './load.js'
import { cLibrary, glibcVersion, systemName } from './system.js'

const folder = mkdtempSync(join(tmpdir(), 'sonotext-load-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('loading the addon', () => {
  it('looks in the build folder first, and only at SONOTEXT_ADDON when that is set', () => {
    expect(candidates('/p', {})[0]).toBe(join('/p', 'build', 'Release', 'sonotext.node'))
    expect(candidates('/p', { SONOTEXT_ADDON: '/x/y.node' })).toEqual(['/x/y.node'])
  })

  it('looks for the package of this platform, by its C library', () => {
    const installed = (name: string) => `/n/${name}/sonotext.node`
    expect(candidates('/p', {}, installed)[1]).toBe(`/n/@sonotext/native-${systemName()}/sonotext.node`)
    const none = () => {
      throw new Error('Cannot find module')
    }
    expect(candidates('/p', {}, none)[1]).toBe(`@sonotext/native-${systemName()}`)
    expect(systemName('musl')).toBe(`${process.platform}-${process.arch}-musl`)
    expect(systemName(null)).toBe(`${process.platform}-${process.arch}`)
    expect(cLibrary({ header: { glibcVersionRuntime: '2.36' } })).toBe('gnu')
    expect(cLibrary({ header: {} })).toBe('musl')
  })

  it('asks for the package only where nothing was built', () => {
    const checkout = join(folder, 'checkout')
    const built = join(checkout, 'build', 'Release', 'sonotext.node')
    expect(candidates(checkout, {})).toHaveLength(2)
    mkdirSync(join(built, '..'), { recursive: true })
    writeFileSync(built, '')
    expect(candidates(checkout, {})).toEqual([built])
  })

  it.skipIf(process.platform !== 'linux')('knows the C library of this system (Linux only)', () => {
    const maps = readFileSync('/proc/self/maps', 'utf8')
    expect(systemName()).toBe(`linux-${process.arch}-${maps.includes('/ld-musl-') ? 'musl' : 'gnu'}`)
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
    expect(message).toContain('it is not installed and was not built.')
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
    expect(error.message.split('\n')[0]).toContain('broken.node')
    const other = join(folder, 'other.cjs')
    writeFileSync(other, 'module.exports = { openDevice: 1 }')
    expect((tryLoad([other]) as AddonLoadError).message).toContain('it is no native addon of Sonotext')
    expect(tryLoad([broken, other, ...candidates()])).toHaveProperty('runAsync')
  })

  const where = { named: undefined, inClone: false, version: '1.2.3' }
  const of = (problem: string, more = {}) =>
    explainAttempts([{ path: '/p/x.node', problem }], { ...where, ...more })

  it('puts the true cause on top', () => {
    const glibc = of(
      "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.99' not found (required by /p/x.node)",
    )
    expect(glibc.split('\n')[0]).toBe(
      `The native addon of Sonotext could not be loaded: it was built for glibc 2.99 or newer, and this system has ${glibcVersion() ?? 'none'}.`,
    )
    expect(of("libstdc++.so.6: version `GLIBCXX_3.4.99' not found").split('\n')[0]).toContain(
      'newer C++ library',
    )
    expect(of('/p/x.node: invalid ELF header').split('\n')[0]).toContain(
      'the file is no addon for this system',
    )
    expect(of('something new\nand long').split('\n')[0]).toMatch(/could not be loaded: something new$/)
  })

  it('names the command that works where the package lies', () => {
    const missing = [{ path: `@sonotext/native-${systemName()}`, problem: null }]
    const installed = explainAttempts(missing, where)
    expect(installed).toContain(`npm install @sonotext/native-${systemName()}@1.2.3`)
    expect(installed).toContain('npx sonotext-native build')
    expect(installed).toContain(': not installed')
    expect(installed).not.toContain('npm run setup')
    expect(explainAttempts(missing, { ...where, inClone: true })).not.toContain('sonotext-native')
  })

  it('knows that its code was bundled, and says what to keep outside', () => {
    expect(packageVersion(join(import.meta.dirname, '..'))).toMatch(/^\d+\.\d+\.\d+/)
    expect(packageVersion(folder)).toBeNull()
    writeFileSync(join(folder, 'package.json'), '{ "name": "service", "version": "1.0.0" }')
    expect(packageVersion(folder)).toBeNull()
    const missing = [{ path: `@sonotext/native-${systemName()}`, problem: null }]
    expect(explainAttempts(missing, { ...where, version: null })).toContain(
      'keep @sonotext/native-cuda outside of it (esbuild --external:@sonotext/native-cuda',
    )
    expect(explainAttempts(missing, where)).not.toContain('bundle')
  })
})
