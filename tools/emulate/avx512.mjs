#!/usr/bin/env node
// Runs a program of native/test on an emulated CPU with AVX-512 and AVX512_BF16, which qemu lacks: Bochs, in it a Linux with this one program.
// It computes what the instructions are specified to and says nothing about speed. Needs CMake, g++ and binutils.
//
//   node tools/emulate/avx512.mjs [--bochs FILE] [--kernel FILE] [--minutes 30] [NAME=VALUE…] [program [argument…]]
//
//   node tools/emulate/avx512.mjs contract pairs bf16                           the program, unless another is named
//   node tools/emulate/avx512.mjs SONOTEXT_ISA=avx512 conformance cpu           every op beside the plain set
//
// --bochs (or SONOTEXT_BOCHS): a Bochs of 3.0 or later. Debian 12 has 2.7, whose CPUs lack AVX512_BF16; from the sources of 3.0:
//   ./configure --enable-cpu-level=6 --enable-x86-64 --enable-avx --enable-evex --enable-all-optimizations --with-nogui && make
// --kernel (or SONOTEXT_KERNEL): a Linux kernel as in /boot; the newest one there unless it is named (Debian: linux-image-cloud-amd64).
// Exit code: the program's.
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '..', '..')
const folder = join(root, 'build', 'emulate')

/** Where boot parameters, initramfs and kernel are read to, one after the other, and how much memory there is. */
const memory = 64 << 20
const size = 1024 << 20

// SMAP, SMEP and fast string moves are hidden from the kernel: with all of them it does not get through its start on Bochs 3.0.
const kernelOptions =
  'console=ttyS0,115200 quiet mitigations=off noapic acpi=off pci=off clearcpuid=smap,smep,erms,fsrm,fsrs'

const options = { bochs: { type: 'string' }, kernel: { type: 'string' }, minutes: { type: 'string', default: '30' } } // prettier-ignore
const { values, positionals: words } = parseArgs({ options, allowPositionals: true })
const isVariable = (word) => /^[A-Z_]+=/.test(word)
const variables = words.filter(isVariable)
const [program = 'contract', ...programArguments] = words.filter((word) => !isVariable(word))
const bochs =
  values.bochs ?? process.env.SONOTEXT_BOCHS ?? fail('Expected a Bochs of 3.0 or later by --bochs.')
const kernel = values.kernel ?? process.env.SONOTEXT_KERNEL ?? installedKernel()

function fail(message) {
  console.error(message)
  process.exit(2)
}

function installedKernel() {
  const names = readdirSync('/boot').filter((name) => name.startsWith('vmlinuz-'))
  const newest = names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1)
  return newest === undefined
    ? fail('There is no /boot/vmlinuz-…: name a kernel by --kernel.')
    : join('/boot', newest)
}

const run = (command, args) => execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })

/** The program, linked statically, so that it is all the system there is. */
function build() {
  const defined = ['-DSONOTEXT_CUDA=OFF', '-DCMAKE_EXE_LINKER_FLAGS=-static']
  run('cmake', ['-S', join(root, 'packages', 'native-cuda'), '-B', folder, ...defined])
  run('cmake', ['--build', folder, '--parallel', '2', '--target', program])
  run('g++', ['-O1', '-static', '-s', '-o', join(folder, 'init'), join(here, 'init.cpp')])
  return { init: join(folder, 'init'), [program]: join(folder, 'native', 'test', program) }
}

const padded = (bytes, to) => Buffer.concat([bytes, Buffer.alloc((to - (bytes.length % to)) % to)])

/** An initramfs of executables: an archive of cpio's format "newc". */
function archive(files) {
  const entry = (name, data) => {
    const numbers = [0, 0o100755, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0]
    const header = `070701${numbers.map((n) => n.toString(16).padStart(8, '0')).join('')}${name}\0`
    return [padded(Buffer.from(header), 4), padded(data, 4)]
  }
  const entries = Object.entries(files).flatMap(([name, path]) => entry(name, readFileSync(path)))
  return Buffer.concat([...entries, ...entry('TRAILER!!!', Buffer.alloc(0))])
}

/** The page of Linux's 32-bit boot protocol and the command line after it. */
function bootParameters(image, initramfs, commandLine) {
  const page = Buffer.alloc(8192)
  image.copy(page, 0x1f1, 0x1f1, 0x202 + image[0x201])
  page[0x210] = 0xff // no loader that has a number
  page.writeUInt32LE(memory + page.length, 0x218)
  page.writeUInt32LE(initramfs.length, 0x21c)
  page.writeUInt32LE(memory + 4096, 0x228)
  page.write(`${commandLine}\0`, 4096)
  const usable = [[0, 0x9f000], [1 << 20, size - (1 << 20)]] // prettier-ignore
  page[0x1e8] = usable.length
  for (const [i, [from, length]] of usable.entries()) {
    const at = 0x2d0 + 20 * i
    page.writeBigUInt64LE(BigInt(from), at)
    page.writeBigUInt64LE(BigInt(length), at + 8)
    page.writeUInt32LE(1, at + 16)
  }
  return page
}

/** Writes the disk, the ROM that reads it and what Bochs is to make of them; resolves to their names. */
function machine(files) {
  const at = (name) => join(folder, name)
  const image = readFileSync(kernel)
  const initramfs = archive(files)
  const quoted = [`/${program}`, ...programArguments].map((word) => (word.includes(' ') ? `"${word}"` : word))
  const commandLine = [kernelOptions, ...variables, '--', ...quoted].join(' ')
  const first = padded(Buffer.concat([bootParameters(image, initramfs, commandLine), initramfs]), 4096)
  const read = padded(Buffer.concat([first, image.subarray((image[0x1f1] + 1) * 512)]), 256 * 512)
  writeFileSync(at('disk'), padded(read, 16 * 63 * 512)) // whole cylinders
  const symbols = { MEMORY: memory, SECTORS: read.length / 512, KERNEL: memory + first.length }
  const defined = Object.entries(symbols).flatMap(([name, value]) => ['--defsym', `${name}=${value}`])
  run('as', ['--32', ...defined, '-o', at('reset.o'), join(here, 'reset.S')])
  run('ld', ['-m', 'elf_i386', '--oformat', 'binary', '-Ttext', '0', '-o', at('reset.rom'), at('reset.o')])
  writeFileSync(at('vga.rom'), Buffer.alloc(512))
  rmSync(at('serial.txt'), { force: true })
  const settings = [
    'display_library: nogui',
    `megs: ${size >> 20}`,
    `romimage: file=${at('reset.rom')}`,
    `vgaromimage: file=${at('vga.rom')}`,
    `ata0-master: type=disk, path=${at('disk')}, mode=flat, cylinders=0`,
    `com1: enabled=1, mode=file, dev=${at('serial.txt')}`,
    'cpu: model=sapphire_rapids, ips=100000000, reset_on_triple_fault=0',
    'clock: sync=none',
    'panic: action=fatal',
    `log: ${at('bochs.log')}`,
  ]
  writeFileSync(at('bochsrc'), `${settings.join('\n')}\n`)
  return { settings: at('bochsrc'), serial: at('serial.txt') }
}

mkdirSync(folder, { recursive: true })
const { settings, serial } = machine(build())
const timeout = Number(values.minutes) * 60_000
const child = spawn(bochs, ['-q', '-f', settings], { stdio: 'ignore', timeout, killSignal: 'SIGKILL' })
await new Promise((ended, failed) => {
  child.on('error', failed)
  child.on('close', ended)
})
const said = readFileSync(serial, 'utf8').replaceAll('\r', '')
process.stdout.write(said)
const status = /^ended with (\d+)$/m.exec(said)
if (status === null)
  console.error(`The program did not end within ${values.minutes} minutes; ${join(folder, 'bochs.log')}`)
process.exitCode = status === null ? 1 : Number(status[1])
