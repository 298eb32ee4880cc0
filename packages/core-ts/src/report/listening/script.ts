/** What runs in the page of a listening test: the body of `(root, data) => { … }`. */
export const listeningScript = String.raw`
const box = root.querySelector('.listening')
const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value)
    else if (value === true) element.setAttribute(key, '')
    else if (value !== false && value !== null) element.setAttribute(key, value)
  }
  element.append(...children)
  return element
}
const keyOf = (rater) => 'sonotext-listening/' + data.id + '/' + rater
const store = {
  read(key) { try { return JSON.parse(localStorage.getItem(key) || 'null') } catch { return null } },
  write(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); return true } catch { return false } },
}
let players = []
const stopAll = (but) => { for (const player of players) if (player !== but) player.pause() }

function choose() {
  players = []
  const select = make('select', { id: 'rater' }, ...data.raters.map(({ rater, tasks }) =>
    make('option', { value: rater }, rater + ' (' + tasks.length + ' lists)')))
  const form = make('form', { onsubmit: (event) => { event.preventDefault(); begin(select.value) } },
    make('h2', { tabindex: '-1' }, 'Who are you?'),
    make('p', {}, 'You will read a sentence and hear some recordings. Say how well what you hear in each recording fits the sentence: 0 not at all, 100 perfectly. Please use headphones and listen to the whole recording where you can.'),
    make('p', { class: 'row' }, make('label', { for: 'rater' }, 'Your name in this test'), select, make('button', { class: 'main' }, 'Begin')))
  box.replaceChildren(form)
}

function begin(rater) {
  const { tasks } = data.raters.find((one) => one.rater === rater)
  const key = keyOf(rater)
  const state = store.read(key) || { done: 0, answers: {} }
  const show = () => state.done < tasks.length ? list(rater, tasks, state, key, show) : finish(rater, tasks, state, key)
  show()
}

function list(rater, tasks, state, key, show) {
  players = []
  const task = tasks[state.done]
  const { query, text, items } = data.lists[task.list]
  const answers = state.answers[task.list] || (state.answers[task.list] = {})
  const status = make('p', { class: 'status', role: 'status', 'aria-live': 'polite' })
  const next = make('button', { class: 'main', type: 'button', disabled: true, onclick: () => {
    stopAll()
    state.done++
    if (!store.write(key, state)) alert('This browser does not keep the progress: do not reload the page.')
    show()
  } }, state.done + 1 < tasks.length ? 'Next sentence' : 'Finish')
  const check = () => {
    const open = task.order.filter((place) => !(answers[place] && answers[place].rated)).length
    next.disabled = open > 0
    status.textContent = open > 0 ? open + ' of ' + items.length + ' recordings still to be rated.' : 'All rated.'
  }
  const clips = task.order.map((place, at) => {
    const answer = answers[place] || (answers[place] = { rating: 0, played: 0, rated: false })
    const name = 'Recording ' + (at + 1)
    const audio = make('audio', { src: items[place].audio, preload: 'auto' })
    players.push(audio)
    const slider = make('input', { type: 'range', min: 0, max: 100, step: 1, value: answer.rating, 'aria-label': name + ': how well it fits, 0 to 100' })
    const number = make('input', { type: 'number', min: 0, max: 100, step: 1, value: answer.rating, 'aria-label': name + ': rating as a number' })
    const heard = make('span', {})
    const button = make('button', { type: 'button', 'aria-label': 'Play ' + name.toLowerCase() }, 'Play')
    const needed = () => Math.min(data.leastSeconds, Number.isFinite(audio.duration) ? audio.duration : data.leastSeconds)
    const update = () => {
      const left = Math.max(0, needed() - answer.played)
      const isOpen = left <= 0.05
      slider.disabled = number.disabled = !isOpen
      heard.textContent = isOpen ? (answer.rated ? 'Rated' : 'Now rate it') : 'Listen ' + Math.ceil(left) + ' s more to rate'
    }
    button.addEventListener('click', () => {
      if (audio.paused) { stopAll(audio); audio.play().catch(() => { status.textContent = name + ' cannot be played.' }) }
      else audio.pause()
    })
    let last = 0
    audio.addEventListener('play', () => { last = audio.currentTime; button.textContent = 'Pause'; button.setAttribute('aria-label', 'Pause ' + name.toLowerCase()) })
    audio.addEventListener('pause', () => { button.textContent = 'Play'; button.setAttribute('aria-label', 'Play ' + name.toLowerCase()); store.write(key, state) })
    audio.addEventListener('seeking', () => { last = audio.currentTime })
    // Only what has really been played counts, not where a jump led.
    const count = () => {
      const step = audio.currentTime - last
      if (step > 0 && step < 1.5) answer.played = Math.round(100 * (answer.played + step)) / 100
      last = audio.currentTime
      update()
    }
    audio.addEventListener('timeupdate', count)
    audio.addEventListener('ended', () => { count(); audio.currentTime = 0 })
    audio.addEventListener('loadedmetadata', update)
    audio.addEventListener('error', () => { status.textContent = name + ' cannot be played: ' + items[place].audio })
    const rate = (value) => {
      answer.rating = Math.min(100, Math.max(0, Math.round(Number(value) || 0)))
      answer.rated = true
      slider.value = number.value = answer.rating
      store.write(key, state)
      update()
      check()
    }
    slider.addEventListener('input', () => rate(slider.value))
    slider.addEventListener('change', () => rate(slider.value))
    // A rating of 0 is where the slider stands already: Enter says that it is meant.
    slider.addEventListener('keydown', (event) => { if (event.key === 'Enter') rate(slider.value) })
    slider.addEventListener('pointerup', () => { if (!slider.disabled) rate(slider.value) })
    number.addEventListener('change', () => rate(number.value))
    update()
    return make('section', { class: 'clip', 'aria-label': name }, make('h3', {}, name),
      make('div', { class: 'row' }, button, slider, number, heard), audio,
      make('div', { class: 'ends', 'aria-hidden': 'true' }, make('span', {}, '0 does not fit'), make('span', {}, '100 fits perfectly')))
  })
  const heading = make('h2', { tabindex: '-1' }, 'Sentence ' + (state.done + 1) + ' of ' + tasks.length)
  box.replaceChildren(heading, make('progress', { max: tasks.length, value: state.done, 'aria-label': 'Sentences done' }),
    make('p', { class: 'query' }, text), make('p', {}, 'How well does each recording fit this sentence? Move the slider; press Enter on it for a rating of 0.'),
    ...clips, status, make('p', {}, next))
  heading.focus()
  check()
}

function finish(rater, tasks, state) {
  players = []
  const cell = (value) => /[",\n;|\t]|^\s|\s$/.test(String(value)) ? '"' + String(value).replaceAll('"', '""') + '"' : String(value)
  const lines = ['query,item,rater,rating,played,group']
  for (const { list: number, order } of tasks) {
    const { query, items } = data.lists[number]
    for (const place of [...order].sort((a, b) => a - b)) {
      const { rating, played } = state.answers[number][place]
      lines.push([query, items[place].item, rater, rating, played, items[place].group].map(cell).join(','))
    }
  }
  const table = lines.join('\n') + '\n'
  const link = make('a', { href: URL.createObjectURL(new Blob([table], { type: 'text/csv' })), download: 'ratings-' + rater + '.csv' }, 'Save the ratings (ratings-' + rater + '.csv)')
  const text = make('textarea', { readonly: true, 'aria-label': 'Your ratings as a table' })
  text.value = table
  const heading = make('h2', { tabindex: '-1' }, 'Thank you')
  box.replaceChildren(heading, make('p', {}, 'All ' + tasks.length + ' sentences are rated. Save the file and send it to whoever asked you.'), make('p', {}, link), text)
  heading.focus()
}

choose()
`
