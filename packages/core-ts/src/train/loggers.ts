import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { SonotextError } from '../base/errors.js'
import type { PickedNegatives } from './picked-negatives.js'
import { encodeEvent, frameRecord, type TensorBoardEvent } from './tensorboard.js'

/** One line of a run's history. */
export interface LogRecord {
  readonly kind: 'start' | 'step' | 'epoch' | 'warning' | 'end'
  /** Optimiser steps done so far. */
  readonly step: number
  /** Epochs with fraction. */
  readonly epoch: number
  /** Named numbers such as `loss`, `lr`, `gradNorm`. */
  readonly values: Readonly<Record<string, number>>
  /** For people: why a warning, why the end. */
  readonly message?: string
  /** What was set against each pair of a step, where it is recorded. */
  readonly negatives?: readonly PickedNegatives[]
}

/** Where a run writes its history. Writing is synchronous, so that a kill loses no finished line. */
export interface Logger {
  /** Called once before the first record; `step` is 0 for a new run, else where it was resumed. */
  open(step: number): void
  /** Throws WRITE_FAILED naming the file. */
  write(record: LogRecord): void
  close(): void
}

/** A file that is only appended to. */
class LogFile {
  readonly path: string
  readonly #fd: number

  constructor(path: string) {
    this.path = path
    try {
      mkdirSync(dirname(path), { recursive: true })
      this.#fd = openSync(path, 'a+')
    } catch (cause) {
      throw failed(path, cause)
    }
  }

  append(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done)
    } catch (cause) {
      throw failed(this.path, cause)
    }
  }

  /** Everything in the file. */
  read(): string {
    return fstatSync(this.#fd).size === 0 ? '' : readFileSync(this.path, 'utf8')
  }

  /** Keeps so many bytes. */
  cut(bytes: number): void {
    ftruncateSync(this.#fd, bytes)
  }

  close(): void {
    closeSync(this.#fd)
  }
}

function failed(file: string, cause: unknown): SonotextError {
  const code = (cause as NodeJS.ErrnoException).code
  return new SonotextError('WRITE_FAILED', `could not write the log (${code ?? String(cause)}).`, {
    file,
    remedy: 'Free disk space or choose another folder, then resume from the last checkpoint.',
    cause,
  })
}

/**
 * One JSON object a line: `{time, kind, step, epoch, …values, negatives, message}`. Numbers that are not finite are written as
 * strings. What a file holds of earlier runs stays. A resumed run first drops its lines after the step it resumes from, so that
 * no step appears twice. Throws INVALID_FILE, and changes nothing, when the file holds something else.
 */
export function jsonlLogger(path: string): Logger {
  let file: LogFile | undefined
  return {
    open(step) {
      if (file !== undefined) return
      const opened = new LogFile(path)
      try {
        const text = opened.read()
        const kept = keptText(text, step, path)
        if (kept.length < text.length) opened.cut(Buffer.byteLength(kept))
      } catch (error) {
        opened.close()
        throw error
      }
      file = opened
    },
    write({ kind, step, epoch, values, message, negatives }) {
      const line = {
        time: new Date().toISOString(),
        kind,
        step,
        epoch,
        ...values,
        ...(negatives === undefined ? {} : { negatives }),
        ...(message === undefined ? {} : { message }),
      }
      file?.append(
        `${JSON.stringify(line, (_, value) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value))}\n`,
      )
    },
    close() {
      file?.close()
      file = undefined
    },
  }
}

/**
 * The part of a log that a run keeps which goes on from `step`: without a line cut in half at its end, and without what the same
 * run wrote after its step.
 */
function keptText(text: string, step: number, path: string): string {
  const lines = text.split('\n')
  const cut = lines.pop()!
  const records = lines.map(recordOf)
  if (lines.length === 0 ? !/^$|^\{"time":/.test(cut) : records[0] === null) throw foreign(path)
  const start = records.findLastIndex((record) => record?.kind === 'start' && record.step === 0)
  const end = records.findIndex((record, i) => i > start && (record === null || record.step > step))
  const kept = step === 0 || end < 0 ? lines : lines.slice(0, end)
  return kept.map((line) => `${line}\n`).join('')
}

function recordOf(line: string): { readonly kind: unknown; readonly step: number } | null {
  try {
    const { kind, step } = JSON.parse(line) as { kind: unknown; step: unknown }
    return typeof step === 'number' && typeof kind === 'string' ? { kind, step } : null
  } catch {
    return null
  }
}

function foreign(file: string): SonotextError {
  return new SonotextError('INVALID_FILE', 'Expected a log of training runs, found something else.', {
    file,
    remedy: 'Write the log elsewhere; this file was not changed.',
  })
}

let filesOpened = 0

/**
 * TensorBoard event files (TFRecord of Event messages) in `folder`; scalars are tagged `step/loss`, `epoch/mAP@10`, and
 * so on. A resumed run starts a new file whose first event tells TensorBoard to drop what came after its step.
 */
export function tensorBoardLogger(folder: string): Logger {
  let file: LogFile | undefined
  const append = (event: Omit<TensorBoardEvent, 'wallTime'>): void =>
    file?.append(frameRecord(encodeEvent({ wallTime: Date.now() / 1000, ...event })))
  return {
    open(step) {
      if (file !== undefined) return
      const seconds = Math.floor(Date.now() / 1000)
      const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${filesOpened++}`
      file = new LogFile(join(folder, name))
      append({ step: 0, fileVersion: 'brain.Event:2' })
      if (step > 0) append({ step: step + 1, sessionStart: true })
    },
    write({ kind, step, values }) {
      const scalars = Object.entries(values).map(([tag, value]) => ({ tag: `${kind}/${tag}`, value }))
      if (scalars.length > 0) append({ step, scalars })
    },
    close() {
      file?.close()
      file = undefined
    },
  }
}
