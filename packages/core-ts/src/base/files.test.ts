import { execFile, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { AtomicFile, isStream, makeFolder, writeFileAtomic } from './files.js'

/** The file system as it is, except that writes fail like a full disk's after so many. */
const disk = vi.hoisted(() => ({ fullAfterWrites: Infinity }))
vi.mock(import('node:fs/promises'), async (importOriginal) => {
  const original = await importOriginal()
  return {
    ...original,
    open: async (...args: Parameters<typeof original.open>) => {
      const handle = await original.open(...args)
      const writeFile = handle.writeFile.bind(handle)
      handle.writeFile = async (...data) => {
        if (disk.fullAfterWrites-- <= 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
        return writeFile(...data)
      }
      return handle
    },
  }
})

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonotext-files-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const failure = (path: string, reason: string | RegExp) =>
  expect.objectContaining({
    code: 'WRITE_FAILED',
    file: path,
    message: expect.stringMatching(reason) as string,
  }) as Error

describe('makeFolder', () => {
  test('makes what is lacking and says the first of it; a file in the way is named', async () => {
    const at = (name: string) => join(folder, name)
    expect(await makeFolder(at('made/er/still'))).toBe(at('made'))
    expect(await makeFolder(at('made/er'))).toBeUndefined()
    writeFileSync(at('made/file'), '')
    await expect(makeFolder(at('made/file/x'))).rejects.toMatchObject({ code: 'ENOTDIR' })
    await expect(makeFolder(at('made/file'))).rejects.toMatchObject({ code: 'ENOTDIR' })
    const all = await Promise.all([1, 2, 3, 4].map(() => makeFolder(at('made/together/x'))))
    expect(all.length).toBe(4)
  })

  test.skipIf(!existsSync('/proc/self'))(
    'ends where a folder can hold none',
    async () => {
      await expect(writeFileAtomic('/proc/x/y.npy', 'a')).rejects.toMatchObject({
        code: 'WRITE_FAILED',
        message: expect.stringContaining('/proc/x/y.npy') as string,
      })
    },
    10_000,
  )
})

test.skipIf(process.platform === 'win32')(
  'isStream tells pipes and devices from files and folders',
  async () => {
    writeFileSync(join(folder, 'plain'), '')
    const paths = ['/dev/null', '/dev/stdout', join(folder, 'plain'), folder, join(folder, 'none')]
    expect(await Promise.all(paths.map(isStream))).toEqual([true, true, false, false, false])
  },
)

describe('writeFileAtomic', () => {
  test('does without FileHandle.sync, which Yarn’s Plug’n’Play does not have', async () => {
    const path = join(folder, 'plug-and-play')
    const handle = await open(folder, 'r')
    await handle.close()
    const sync = vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'sync').mockImplementation(() => {
      throw new Error('Method not implemented.')
    })
    try {
      await writeFileAtomic(path, 'whole')
      expect(readFileSync(path, 'utf8')).toBe('whole')
    } finally {
      sync.mockRestore()
    }
  })

  test('writes text, bytes and parts, makes folders, replaces what was there', async () => {
    const path = join(folder, 'a/b/c.txt')
    await writeFileAtomic(path, 'grün')
    expect(readFileSync(path, 'utf8')).toBe('grün')
    await writeFileAtomic(path, Uint8Array.of(1, 2))
    expect([...readFileSync(path)]).toEqual([1, 2])
    await writeFileAtomic(path, [Uint8Array.of(3), new Uint8Array(0), Uint8Array.of(4, 5)])
    expect([...readFileSync(path)]).toEqual([3, 4, 5])
    await writeFileAtomic(path, [])
    expect(readFileSync(path).length).toBe(0)
    expect(readdirSync(join(folder, 'a/b'))).toEqual(['c.txt'])
  })

  test('a link is followed and stays, also through folders and to a file that is not there yet', async () => {
    mkdirSync(join(folder, 'store/deep'), { recursive: true })
    const real = join(folder, 'store/deep/real.txt')
    writeFileSync(real, 'old')
    symlinkSync('store/deep', join(folder, 'way'))
    symlinkSync('../real2.txt', join(folder, 'store/deep/new'))
    symlinkSync('way/real.txt', join(folder, 'link'))
    symlinkSync('link', join(folder, 'link2'))
    await writeFileAtomic(join(folder, 'link2'), 'new')
    expect([readFileSync(real, 'utf8'), readlinkSync(join(folder, 'link2'))]).toEqual(['new', 'link'])
    await writeFileAtomic(join(folder, 'way/new'), 'made')
    expect(readFileSync(join(folder, 'store/real2.txt'), 'utf8')).toBe('made')
    symlinkSync('loop-b', join(folder, 'loop-a'))
    symlinkSync('loop-a', join(folder, 'loop-b'))
    const loop = join(folder, 'loop-a')
    await expect(writeFileAtomic(loop, 'x')).rejects.toThrow(failure(loop, /ELOOP.*circle/))
  })

  test('the mode of a file is kept, and a file that may not be written is not replaced', async ({ skip }) => {
    const path = join(folder, 'secret.txt')
    writeFileSync(path, 'old', { mode: 0o600 })
    await writeFileAtomic(path, 'new')
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['new', 0o600])
    chmodSync(path, 0o444)
    skip(process.getuid?.() === 0, 'root may write everything')
    await expect(writeFileAtomic(path, 'x')).rejects.toThrow(failure(path, /EACCES/))
    expect(readFileSync(path, 'utf8')).toBe('new')
  })

  test('a pipe is written into and stays one', async () => {
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', [path])
    const parts = Array.from({ length: 5 }, (_, i) => new Uint8Array(2 ** 17).fill(i))
    const read = readFile(path)
    await writeFileAtomic(path, parts)
    expect(await read).toEqual(Buffer.concat(parts))
    expect(statSync(path).isFIFO()).toBe(true)
    await writeFileAtomic('/dev/null', 'x')
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
  })

  test.each([
    ['a pipe', '| cat > out'],
    ['a file', '> out'],
  ])('standard output that is %s', (_, redirection) => {
    const code = `import { AtomicFile, writeFileAtomic } from './files.js'
      const big = new Uint8Array(3e5).fill(46)
      process.stdout.write('before ')
      await writeFileAtomic('/dev/stdout', [big, Buffer.from('|')])
      await writeFileAtomic('/dev/fd/1', ' after')`
    writeFileSync(join(compiled(), 'out.js'), code)
    execFileSync('sh', ['-c', `"${process.execPath}" out.js ${redirection}`], { cwd: compiled() })
    expect(readFileSync(join(compiled(), 'out'), 'utf8')).toBe(`before ${'.'.repeat(3e5)}| after`)
  })

  test('standard output that is a socket, which cannot be opened', async () => {
    const code = `import { AtomicFile, writeFileAtomic } from './files.js'
      await writeFileAtomic('/dev/stdout', new Uint8Array(3e5).fill(46))`
    writeFileSync(join(compiled(), 'socket.js'), code)
    const { stdout } = await promisify(execFile)(process.execPath, [join(compiled(), 'socket.js')])
    expect(stdout).toBe('.'.repeat(3e5))
  })

  test('writers of one path at the same time leave one of their contents', async () => {
    const path = join(folder, 'busy.txt')
    const contents = Array.from({ length: 20 }, (_, i) => String(i).repeat(50_000))
    await Promise.all(contents.map((text) => writeFileAtomic(path, text)))
    expect(contents).toContain(readFileSync(path, 'utf8'))
    expect(readdirSync(folder).filter((name) => name.includes('busy'))).toEqual(['busy.txt'])
  })

  test('a failing part leaves the old file and no rest', async () => {
    const path = join(folder, 'kept.bin')
    await writeFileAtomic(path, 'old')
    const parts = [Uint8Array.of(1), 'no bytes' as unknown as Uint8Array, 5 as unknown as Uint8Array]
    await expect(writeFileAtomic(path, parts)).rejects.toThrow(failure(path, /unchanged/))
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(folder).filter((name) => name.includes('kept'))).toEqual(['kept.bin'])
  })

  test('an abort before or while writing leaves the old file and no rest', async () => {
    const path = join(folder, 'aborted.bin')
    await writeFileAtomic(path, 'old')
    const aborted = expect.objectContaining({ code: 'ABORTED' }) as Error
    await expect(writeFileAtomic(path, 'new', { signal: AbortSignal.abort() })).rejects.toThrow(aborted)
    const controller = new AbortController()
    const parts = [Uint8Array.of(1), Uint8Array.of(2)]
    Object.defineProperty(parts, 1, {
      get() {
        controller.abort()
        return Uint8Array.of(2)
      },
    })
    await expect(writeFileAtomic(path, parts, { signal: controller.signal })).rejects.toThrow(aborted)
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(folder).filter((name) => name.includes('aborted'))).toEqual(['aborted.bin'])
  })

  test('a folder in the way, a file in the path', async () => {
    const taken = join(folder, 'folder')
    mkdirSync(join(taken, 'inside'), { recursive: true })
    await expect(writeFileAtomic(taken, 'x')).rejects.toThrow(
      failure(taken, /could not write the file \((EISDIR|ENOTEMPTY|EEXIST|EPERM)\)/),
    )
    expect(readdirSync(taken)).toEqual(['inside'])
    writeFileSync(join(folder, 'file'), '')
    const below = join(folder, 'file', 'x.txt')
    await expect(writeFileAtomic(below, 'x')).rejects.toThrow(failure(below, /\((ENOTDIR|EEXIST)\)/))
  })

  test('a folder without write permission', async ({ skip }) => {
    skip(process.getuid?.() === 0 || process.platform === 'win32', 'permissions do not bind this user')
    const locked = join(folder, 'locked')
    mkdirSync(locked)
    chmodSync(locked, 0o555)
    const path = join(locked, 'x.txt')
    await expect(writeFileAtomic(path, 'x')).rejects.toThrow(failure(path, /EACCES.*may not write there/))
  })

  test('a disk that fills up while writing', async () => {
    const path = join(folder, 'filling.bin')
    await writeFileAtomic(path, 'old')
    disk.fullAfterWrites = 1
    const parts = [Uint8Array.of(1), Uint8Array.of(2)]
    await expect(writeFileAtomic(path, parts)).rejects.toThrow(failure(path, /\(ENOSPC\).*The disk is full/))
    disk.fullAfterWrites = Infinity
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(folder).filter((name) => name.includes('filling'))).toEqual(['filling.bin'])
  })

  test('a disk that is full', async ({ skip }) => {
    const small = join(folder, 'small')
    mkdirSync(small)
    skip(!mount(small), 'this user cannot mount a small file system')
    try {
      const path = join(small, 'model.bin')
      await writeFileAtomic(path, 'old')
      await expect(writeFileAtomic(path, new Uint8Array(2 ** 20))).rejects.toThrow(
        failure(path, /\(ENOSPC\); what was there before is unchanged\. The disk is full/),
      )
      expect(readFileSync(path, 'utf8')).toBe('old')
      expect(readdirSync(small)).toEqual(['model.bin'])
      await writeFileAtomic(path, 'small enough')
    } finally {
      execFileSync('umount', [small])
    }
  })
})

/** A folder with the writer as plain JavaScript, for processes of their own. */
function compiled(): string {
  const own = join(folder, 'compiled')
  if (existsSync(own)) return own
  mkdirSync(own)
  writeFileSync(join(own, 'package.json'), '{"type":"module"}')
  for (const name of ['files', 'text', 'errors', 'abort']) {
    const source = readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8')
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
    })
    writeFileSync(join(own, `${name}.js`), outputText)
  }
  return own
}

describe('a process that writes again and again', () => {
  let script: string
  beforeAll(() => {
    script = join(compiled(), 'writer.js')
    writeFileSync(
      script,
      `import { AtomicFile, writeFileAtomic } from './files.js'
       const part = (round) => new Uint8Array(1 << 18).fill(round % 251)
       for (let round = 0; ; round++) {
         await writeFileAtomic(process.argv[2], Array.from({ length: 8 }, () => part(round)))
         if (round === 0) process.send('started')
       }`,
    )
  })

  test('what killed processes of this host left half written is removed, and nothing else', async () => {
    const first = join(folder, 'left-over-name')
    const file = await AtomicFile.create(join(first, 'x.npy'))
    const [name] = readdirSync(first)
    await file[Symbol.asyncDispose]()
    expect(name).toMatch(/^x\.npy\.\d+\.[0-9a-f]{16}\.tmp$/)
    const dead = spawn(process.execPath, ['-e', ''])
    await new Promise((done) => dead.on('exit', done))
    const of = (pid: number) => name!.replace(String(process.pid), String(pid))
    const otherHost = of(dead.pid!).replace(/[0-9a-f]{8}(?=[0-9a-f]{8}\.tmp$)/, '00000000')
    const second = join(folder, 'left-over')
    mkdirSync(second)
    const kept = [name!, otherHost, 'notes.1.tmp', 'x.npy']
    for (const left of [...kept, of(dead.pid!), of(dead.pid!).replace('x.npy', 'y.npy')])
      writeFileSync(join(second, left), 'old')
    await writeFileAtomic(join(second, 'x.npy'), 'new')
    expect(readdirSync(second).sort()).toEqual([...kept].sort())
    expect(readFileSync(join(second, 'x.npy'), 'utf8')).toBe('new')
  })

  test('killed at any moment leaves one whole version', async () => {
    const path = join(folder, 'killed.bin')
    for (const delay of [0, 1, 2, 3, 5, 8, 13, 21]) {
      const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
      const ended = new Promise((resolve) => child.once('exit', resolve))
      await new Promise((resolve) => child.once('message', resolve))
      await sleep(delay)
      child.kill('SIGKILL')
      await ended
      const bytes = readFileSync(path)
      expect(bytes.length).toBe(1 << 21)
      expect(bytes.every((byte) => byte === bytes[0])).toBe(true)
    }
  })
})

function mount(at: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', at], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('AtomicFile', () => {
  test('is there when it is committed, whole, and not before', async () => {
    const path = join(folder, 'deep', 'x.bin')
    {
      await using file = await AtomicFile.create(path)
      await file.append(Uint8Array.of(0, 0))
      await file.append(Uint8Array.of(3, 4))
      await file.writeAt(Uint8Array.of(1, 2), 0)
      expect(existsSync(path)).toBe(false)
      await file.commit()
    }
    expect([...readFileSync(path)]).toEqual([1, 2, 3, 4])
    {
      await using file = await AtomicFile.create(path)
      await file.append(Uint8Array.of(9))
    }
    expect([...readFileSync(path)]).toEqual([1, 2, 3, 4])
    expect(readdirSync(join(folder, 'deep'))).toEqual(['x.bin'])
    writeFileSync(join(folder, 'file'), '')
    await expect(AtomicFile.create(join(folder, 'file', 'x'))).rejects.toMatchObject({
      code: 'WRITE_FAILED',
    })
  })
})
