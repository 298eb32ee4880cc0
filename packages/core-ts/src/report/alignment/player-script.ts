/**
 * Code of the alignment player, as {@link interactive} runs it: `(root, data) => { … }`. It draws the spectrogram and a lane of scores for
 * each phrase, follows the sound, seeks where it is clicked, and cuts segments anew when the threshold is moved.
 */
export const playerScript = `
const find = (selector) => root.querySelector(selector)
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
const audio = find('audio'), time = find('.al-time'), head = find('.al-head'), slider = find('.al-threshold')
const said = find('.al-said'), list = find('.al-list'), lanes = [...root.querySelectorAll('.al-lane')]
const { duration, frameStep, start, settings, phrases, spectrum } = data
const scores = phrases.map(({ scores }) => Float32Array.from(bytes(scores), (byte) => byte / 255))

function drawSpectrum() {
  const canvas = find('.al-spectrum'), { columns, bands } = spectrum, values = bytes(spectrum.values)
  canvas.width = columns
  canvas.height = bands
  const context = canvas.getContext('2d'), image = context.createImageData(columns, bands)
  for (let b = 0; b < bands; b++)
    for (let c = 0; c < columns; c++) {
      // Black, violet, orange, pale yellow.
      const x = values[c * bands + b] / 255, at = 4 * ((bands - 1 - b) * columns + c)
      image.data[at] = 255 * Math.min(1, 1.6 * x)
      image.data[at + 1] = 255 * Math.max(0, 1.7 * x - 0.7)
      image.data[at + 2] = 255 * (x < 0.5 ? 0.9 * x : Math.max(0.1, 0.45 - 0.9 * (x - 0.5), 3 * x - 2.3))
      image.data[at + 3] = 255
    }
  context.putImageData(image, 0, 0)
}

function drawScores() {
  lanes.forEach((lane, p) => {
    const canvas = lane.querySelector('canvas'), values = scores[p]
    canvas.width = Math.max(1, Math.round(lane.clientWidth * devicePixelRatio))
    canvas.height = 1
    const context = canvas.getContext('2d')
    context.fillStyle = getComputedStyle(lane).color
    for (let x = 0; x < canvas.width; x++) {
      const t = Math.floor((((x + 0.5) / canvas.width) * duration - start) / frameStep)
      context.globalAlpha = 0.85 * (values[Math.max(0, Math.min(values.length - 1, t))] ?? 0)
      context.fillRect(x, 0, 1, 1)
    }
  })
}

/** The same cut as the library makes, without the joint decode. */
function cut(values, threshold) {
  const low = threshold - settings.hysteresis, gap = Math.round(settings.maxGap / frameStep), spans = []
  for (let t = 0; t < values.length; t++) {
    if (!(values[t] >= low)) continue
    const first = t
    let match = false
    for (; t < values.length && values[t] >= low; t++) match = match || values[t] >= threshold
    if (!match) continue
    const before = spans.at(-1)
    if (before && first - before[1] < gap) before[1] = t
    else spans.push([first, t])
  }
  return spans
    .filter(([first, end]) => (end - first) * frameStep >= settings.minLength - 1e-9)
    .map(([first, end]) => [start + first * frameStep, Math.min(duration, start + end * frameStep)])
}

function showSegments(segments) {
  list.replaceChildren()
  lanes.forEach((lane, p) => {
    for (const old of lane.querySelectorAll('.al-segment')) old.remove()
    for (const [onset, offset] of segments[p]) {
      const box = lane.appendChild(document.createElement('div'))
      box.className = 'al-segment'
      box.style.left = (100 * onset) / duration + '%'
      box.style.width = (100 * (offset - onset)) / duration + '%'
      const button = list.appendChild(document.createElement('li')).appendChild(document.createElement('button'))
      button.style.setProperty('--c', lane.style.getPropertyValue('--c'))
      button.textContent = phrases[p].text + ' ' + onset.toFixed(2) + '–' + offset.toFixed(2) + ' s'
      button.type = 'button'
      button.addEventListener('click', () => { seek(onset); audio.play() })
    }
  })
  const absent = phrases.filter((_, p) => segments[p].length === 0).map(({ text }) => text)
  const count = segments.flat().length
  said.textContent = count + (count === 1 ? ' segment' : ' segments') + (absent.length ? '; not there: ' + absent.join(', ') : '') + '.'
}

function seek(seconds) {
  audio.currentTime = Math.max(0, Math.min(duration, seconds))
  follow()
}

function follow() {
  const now = audio.currentTime
  head.style.left = (100 * Math.min(1, now / duration)) + '%'
  time.setAttribute('aria-valuenow', now.toFixed(2))
  const heard = phrases.filter((_, p) => shown[p].some(([onset, offset]) => now >= onset && now < offset))
  time.setAttribute('aria-valuetext', now.toFixed(1) + ' s' + (heard.length ? ': ' + heard.map(({ text }) => text).join(', ') : ''))
  if (!audio.paused) requestAnimationFrame(follow)
}

let shown = phrases.map(({ segments }) => segments)
const seekTo = (event) => {
  const { left, width } = time.getBoundingClientRect()
  seek(((event.clientX - left) / width) * duration)
}
time.addEventListener('pointerdown', (event) => {
  time.setPointerCapture(event.pointerId)
  seekTo(event)
})
time.addEventListener('pointermove', (event) => { if (time.hasPointerCapture(event.pointerId)) seekTo(event) })
time.addEventListener('keydown', (event) => {
  const step = { ArrowLeft: -0.5, ArrowRight: 0.5, ArrowDown: -0.5, ArrowUp: 0.5, PageDown: -5, PageUp: 5, Home: -Infinity, End: Infinity }[event.key]
  if (step !== undefined) seek(audio.currentTime + step)
  else if (event.key === ' ') audio.paused ? audio.play() : audio.pause()
  else return
  event.preventDefault()
})
for (const name of ['play', 'seeked', 'timeupdate', 'pause']) audio.addEventListener(name, follow)
slider.addEventListener('input', () => {
  const threshold = Number(slider.value)
  find('output').textContent = threshold.toFixed(2)
  shown = threshold === settings.threshold ? phrases.map(({ segments }) => segments) : scores.map((values) => cut(values, threshold))
  showSegments(shown)
  follow()
})
drawSpectrum()
drawScores()
showSegments(shown)
follow()
addEventListener('resize', drawScores)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawScores)
`.trim()
