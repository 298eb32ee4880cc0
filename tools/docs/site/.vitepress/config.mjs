import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../../../..')
const guide = (text, name) => ({ text, link: `/guide/${name}` })
const result = (text, name) => ({ text, link: `/results/${name}` })

export default {
  title: 'Sonotext',
  description: 'Learning between audio and natural language, from Node.js, without Python',
  srcDir: resolve(root, 'build/site-pages'),
  outDir: resolve(root, 'build/site'),
  cacheDir: resolve(root, 'build/site-cache'),
  // The reference is not made of pages of this site; nor are files of the repository that pages link to.
  ignoreDeadLinks: [/^\/api\//, /^\/source\//],
  vite: { publicDir: resolve(root, 'build/site-pages/public') },
  markdown: { languageAlias: { jsonl: 'json' } },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Guide', link: '/guide/linking' },
      { text: 'Examples', link: '/examples' },
      { text: 'Reference', link: '/api/index.html', target: '_self' },
      { text: 'Results', link: '/results/' },
    ],
    sidebar: [
      {
        text: 'Begin',
        items: [
          { text: 'Sonotext', link: '/' },
          guide('Linking the library', 'linking'),
          { text: 'Examples', link: '/examples' },
          { text: 'The thesis, chapter by chapter', link: '/papers' },
        ],
      },
      {
        text: 'Guide',
        items: [
          guide('Data', 'data'),
          guide('Audio', 'audio'),
          guide('Training', 'training'),
          guide('Several processes', 'data-parallel'),
          guide('Negatives', 'negatives'),
          guide('Towers', 'towers'),
          guide('Search and measures', 'retrieval'),
          guide('Alignment', 'alignment'),
          guide('Measures of alignment', 'alignment-evaluation'),
          guide('Relevance', 'relevance'),
          guide('Sound scenes', 'soundscapes'),
          guide('Reports', 'reports'),
          guide('Speed checks', 'bench'),
          guide('Command line', 'cli'),
        ],
      },
      {
        text: 'Look up',
        items: [
          { text: 'Errors', link: '/errors' },
          { text: 'Numerics', link: '/numerics' },
          { text: 'Performance', link: '/performance' },
        ],
      },
      {
        text: 'Results',
        collapsed: true,
        items: [
          result('All results', ''),
          result('Negatives', 'negatives/'),
          result('Alignment', 'alignment'),
          result('Relevance', 'relevance'),
          result('Real scenes', 'real-scenes'),
          result('Training speed', 'training-speed'),
          result('CUDA', 'gpu'),
        ],
      },
      {
        text: 'Inside',
        collapsed: true,
        items: [
          { text: 'Architecture', link: '/architecture' },
          { text: 'Native layer', link: '/native' },
          { text: 'Contributing', link: '/contributing' },
        ],
      },
    ],
    outline: [2, 3],
  },
}
