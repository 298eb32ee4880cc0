// The index behind HTTP: GET /search?q=rain+falls&k=3 answers with clips and scores as JSON. Needs the folders `scenes` and
// `run` that quickstart.mjs leaves behind. `node http-search.mjs --try` asks itself once and ends.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createIndex, openBackend, openRun, readManifest } from '@sonotext/core'

const backend = openBackend()
const run = await openRun('run', { backend })
const { audio, text, dim, id } = run.model
const { clips } = await readManifest('scenes/manifest.jsonl')
const captions = new Map(clips.map((clip) => [clip.id, clip.captions[0].text]))

const index = createIndex({ dim, model: id, backend })
const corpus = await run.corpus()
for await (const { clip, features } of corpus.read(clips)) index.add(await audio.embed([features]), [clip.id])
await corpus[Symbol.asyncDispose]()

async function answer(url, signal) {
  const query = url.searchParams.get('q')?.trim()
  const k = Number(url.searchParams.get('k') ?? 3)
  if (!query || !Number.isInteger(k) || k < 1 || k > 100)
    return [400, { error: 'Expected ?q=WORDS and &k=1…100.' }]
  const [hits] = await index.search(await text.embed([query], { signal }), { k, signal })
  return [200, hits.map(({ id, score }) => ({ clip: id, score, caption: captions.get(id) }))]
}

const server = createServer(async (request, response) => {
  const gone = new AbortController() // whoever hangs up stops the work
  response.once('close', () => gone.abort())
  const url = new URL(request.url, 'http://localhost')
  let [status, body] = [404, { error: 'Only /search is here.' }]
  try {
    if (url.pathname === '/search') [status, body] = await answer(url, gone.signal)
  } catch (error) {
    if (gone.signal.aborted) return
    ;[status, body] = [500, { error: error.message }]
  }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
})
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1')
await once(server, 'listening')
const address = `http://127.0.0.1:${server.address().port}`
console.log(`${index.size} clips at ${address}/search?q=rain+falls`)

if (process.argv.includes('--try')) {
  for (const path of ['/search?q=rain+falls&k=3', '/search?k=3', '/']) {
    const response = await fetch(address + path)
    console.log(response.status, JSON.stringify(await response.json()))
  }
  server.close()
}
