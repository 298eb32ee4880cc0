import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { StepSize, StepTimes } from './step.js'

/** The PyTorch side of the comparison: a child process that waits until it is asked. */
export interface PyTorch extends AsyncDisposable {
  readonly version: string
  loss(): Promise<number>
  step(): Promise<StepTimes>
}

const script = fileURLToPath(new URL('../../../../tools/compare/pytorch_training.py', import.meta.url))

/** Starts `python` with PyTorch, or says why it cannot. */
export async function startPyTorch(
  python: string | undefined,
  { batch, frames }: StepSize,
  threads: number,
  device: 'cpu' | 'cuda',
): Promise<PyTorch | string> {
  if (python === undefined) return 'no --pytorch /path/to/python was given'
  if (!existsSync(python)) return `there is no ${python}`
  const child = spawn(python, [script, String(batch), String(frames), String(threads), device], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${script} ended with exit code ${code}`)))
  })
  ended.catch(() => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async (): Promise<Record<string, number & string>> => {
    const line = await Promise.race([lines.next(), ended])
    return JSON.parse(line.value as string) as Record<string, number & string>
  }
  const ask = (command: string): ReturnType<typeof answer> => {
    child.stdin.write(`${command}\n`)
    return answer()
  }
  try {
    const { torch } = await answer()
    return {
      version: torch!,
      loss: async () => (await ask('loss')).loss!,
      step: async () => (await ask('step')) as unknown as StepTimes,
      async [Symbol.asyncDispose]() {
        child.stdin.end()
        await ended.catch(() => {})
      },
    }
  } catch (error) {
    return (error as Error).message
  }
}
