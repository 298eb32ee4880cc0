import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

/** A Chromium on the path, or null. */
export function chromium(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(existsSync) ?? null
}

/** A page in a headless Chromium, driven as a person would: looked at, clicked, typed into. */
export interface BrowserPage extends AsyncDisposable {
  /** The value of an expression in the page; a promise is waited for. */
  evaluate<T>(expression: string): Promise<T>
  /** Waits until an expression is true. Throws with what the page shows when it is not within two minutes. */
  until(expression: string): Promise<void>
  /** A real click on the first element of a selector: in its middle, or at this share of its width. */
  click(selector: string, share?: number): Promise<void>
  /** The mouse pressed on an element at a share of its width, moved along it, and let go at another. */
  drag(selector: string, from: number, to: number): Promise<void>
  /** Keys one after the other: Tab, Enter, Space, ArrowRight, … */
  press(...keys: string[]): Promise<void>
  reload(): Promise<void>
  /** As on a screen of this width. */
  resize(width: number): Promise<void>
  /** A PNG of the whole page, or of its first `height` pixels. */
  screenshot(path: string, height?: number): Promise<void>
}

interface Answer {
  readonly id?: number
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** Opens an address (also file://) with the DevTools protocol, 1000 pixels wide. */
export async function openPage(program: string, address: string): Promise<BrowserPage> {
  const profile = await mkdtemp(join(tmpdir(), 'sonotext-browser-'))
  const browser = spawn(
    program,
    [
      ...['--headless=new', '--no-sandbox', '--disable-gpu', '--mute-audio', '--no-first-run'],
      ...['--remote-debugging-port=0', `--user-data-dir=${profile}`, '--window-size=1000,900', 'about:blank'],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const port = await new Promise<string>((resolve, reject) => {
    let said = ''
    browser.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const found = /DevTools listening on ws:\/\/[^:]+:(\d+)\//.exec(said)?.[1]
      if (found !== undefined) resolve(found)
    })
    browser.on('exit', () => reject(new Error(`Chromium did not start: ${said.slice(-500)}`)))
  })
  const made = await fetch(`http://127.0.0.1:${port}/json/new?about:blank`, { method: 'PUT' })
  const { webSocketDebuggerUrl } = (await made.json()) as { webSocketDebuggerUrl: string }
  const socket = new WebSocket(webSocketDebuggerUrl)
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(String(data)) as Answer
    const open = id === undefined ? undefined : waiting.get(id)
    if (open === undefined) return
    waiting.delete(id!)
    if (error) open.reject(new Error(error.message))
    else open.resolve(result as never)
  })
  let last = 0
  const send = <T>(method: string, params: object = {}): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      waiting.set(++last, { resolve, reject })
      socket.send(JSON.stringify({ id: last, method, params }))
    })
  /** Brought into view; places along its middle line. */
  const boxOf = async (selector: string) => {
    const { x, y, width, height } = await page.evaluate<Record<'x' | 'y' | 'width' | 'height', number>>(
      `(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.scrollIntoView({ block: 'center' }); const { x, y, width, height } = e.getBoundingClientRect(); return { x, y, width, height } })()`,
    )
    return { at: (share: number) => ({ x: x + width * share, y: y + height / 2 }) }
  }
  let shownWidth = 1000
  const page: BrowserPage = {
    async evaluate<T>(expression: string) {
      const { result, exceptionDetails } = await send<{
        result: { value: T }
        exceptionDetails?: { exception?: { description?: string }; text: string }
      }>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true, userGesture: true })
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
      return result.value
    },
    async until(expression) {
      for (let tries = 0; tries < 600; tries++) {
        if (await page.evaluate<boolean>(`Boolean(${expression})`)) return
        await sleep(200)
      }
      const shown = await page.evaluate<string>('document.body.innerText')
      throw new Error(`Expected ${expression}, the page shows: ${shown.slice(0, 800)}`)
    },
    async click(selector, share = 0.5) {
      const at = (await boxOf(selector)).at(share)
      for (const type of ['mousePressed', 'mouseReleased'])
        await send('Input.dispatchMouseEvent', { type, ...at, button: 'left', clickCount: 1 })
    },
    async drag(selector, from, to) {
      const box = await boxOf(selector)
      const mouse = (type: string, share: number) =>
        send('Input.dispatchMouseEvent', {
          type,
          ...box.at(share),
          button: 'left',
          buttons: 1,
          clickCount: 1,
        })
      await mouse('mousePressed', from)
      for (let step = 1; step <= 5; step++) await mouse('mouseMoved', from + ((to - from) * step) / 5)
      await mouse('mouseReleased', to)
    },
    async press(...keys) {
      for (const key of keys) {
        const text = key === 'Space' ? ' ' : key === 'Enter' ? '\r' : undefined
        const named = { key: key === 'Space' ? ' ' : key, code: key, windowsVirtualKeyCode: codes[key] ?? 0 }
        await send('Input.dispatchKeyEvent', {
          type: text ? 'keyDown' : 'rawKeyDown',
          ...named,
          ...(text && { text }),
        })
        await send('Input.dispatchKeyEvent', { type: 'keyUp', ...named })
      }
    },
    async reload() {
      await send('Page.reload')
      await sleep(300)
      await page.until("document.readyState === 'complete'")
    },
    async resize(width) {
      shownWidth = width
      await send('Emulation.setDeviceMetricsOverride', {
        ...{ width, height: 900, deviceScaleFactor: 1, mobile: false },
      })
    },
    async screenshot(path, height) {
      const clip = height === undefined ? {} : { clip: { x: 0, y: 0, width: shownWidth, height, scale: 1 } }
      const options = { captureBeyondViewport: true, ...clip }
      const { data } = await send<{ data: string }>('Page.captureScreenshot', options)
      await writeFile(path, Buffer.from(data, 'base64'))
    },
    async [Symbol.asyncDispose]() {
      socket.close()
      const ended = new Promise((resolve) => browser.once('exit', resolve))
      browser.kill('SIGKILL')
      await ended
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  await send('Page.enable')
  await send('Page.navigate', { url: address })
  await page.until("document.readyState === 'complete' && location.href !== 'about:blank'")
  return page
}

/** Windows virtual key codes, which tell the browser what to do with a key. */
const codes: Readonly<Record<string, number>> = {
  Tab: 9,
  Enter: 13,
  Space: 32,
  End: 35,
  ArrowLeft: 37,
  ArrowUp: 38,
  ArrowRight: 39,
  ArrowDown: 40,
}
