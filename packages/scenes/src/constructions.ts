import type { SceneDescription } from './scene-description.js'
import type { NounPhrase } from './lexeme.js'
import type { Speaker } from './speaker.js'

/** A sentence pattern: puts a whole scene into words (without capital and full stop). */
export type Construction = (speaker: Speaker, scene: SceneDescription) => string

/** The patterns that fit what the scene holds; in each of them order words agree with the order of the groups. */
export function constructionsFor({ background, groups, relations }: SceneDescription): Construction[] {
  if (groups.length === 0) return aloneInBackground.slice()
  const list = background === null ? events.slice() : eventsOverBackground.slice()
  if (relations[0] === 'then') list.push(background === null ? afterFirst : afterFirstOverBackground)
  if (relations.length > 0 && relations.every((relation) => relation === 'then') && background === null)
    list.push(firstThen)
  if (relations[0] !== 'overlap' && background !== null) list.push(whileAtFirst)
  return list
}

const aloneInBackground: readonly Construction[] = [
  (s, { background }) => s.backgroundFinite(background!),
  (s, { background }) =>
    `${s.backgroundFinite(background!)} ${s.choose(['the whole time', 'throughout', 'without a break'])}`,
  (s, { background }) => `${s.backgroundGerund(background!)} can be heard`,
  (s, { background }) => `nothing but ${s.backgroundNoun(background!).text} is heard`,
  (s, { background }) => `one can hear ${s.backgroundGerund(background!)}`,
  (s, { background }) => `only ${s.backgroundNoun(background!).text} can be heard`,
]

const events: readonly Construction[] = [
  (s, scene) => clauses(s, scene),
  (s, scene) => nouns(s, scene).text,
  there,
  (s, scene) => `${s.choose(['one can hear', 'we hear'])} ${nouns(s, scene).text}`,
  gerunds,
  (s, scene) => `${nouns(s, scene).text} can be heard`,
]

const eventsOverBackground: readonly Construction[] = [
  // While rain falls, a dog barks twice and then a clock ticks.
  (s, scene) => `${s.choose(['while', 'as'])} ${s.backgroundFinite(scene.background!)}, ${clauses(s, scene)}`,
  // A dog barks twice, then a clock ticks with rain falling in the background.
  (s, scene) => `${clauses(s, scene)} with ${s.backgroundGerund(scene.background!)} in the background`,
  // Two dog barks followed by a ticking clock over falling rain.
  (s, scene) =>
    `${nouns(s, scene).text} ${s.choose(['over', 'against a background of'])} ${s.backgroundNoun(scene.background!).text}`,
  // Rain falls while a dog barks twice before a clock ticks.
  (s, scene) =>
    `${s.backgroundFinite(scene.background!)} ${s.choose(['while', 'as', 'throughout as'])} ${clauses(s, scene)}`,
  // There are two dog barks and then the ticking of a clock while rain falls.
  (s, scene) => `${there(s, scene)} while ${s.backgroundFinite(scene.background!)}`,
  // A dog barking twice, followed by a clock ticking, with rain in the background.
  (s, scene) => `${gerunds(s, scene)}, with ${s.backgroundNoun(scene.background!).text} in the background`,
  // Over falling rain, one can hear a dog barking twice, followed by a clock ticking.
  (s, scene) => `over ${s.backgroundNoun(scene.background!).text}, one can hear ${gerunds(s, scene)}`,
]

/** A dog barks twice while rain falls, then a clock ticks. */
function whileAtFirst(s: Speaker, scene: SceneDescription): string {
  return clauses(s, scene, ` ${s.choose(['while', 'as'])} ${s.backgroundFinite(scene.background!)}`)
}

/** After a dog barks twice, a clock ticks. */
function afterFirst(s: Speaker, { groups, relations, background }: SceneDescription): string {
  const rest = { background, groups: groups.slice(1), relations: relations.slice(1) }
  if (groups.length === 2 && s.choose([true, false]))
    return `${s.finite(groups[1]!)} after ${s.finite(groups[0]!)}`
  return `after ${s.finite(groups[0]!)}, ${clauses(s, rest)}`
}

function afterFirstOverBackground(s: Speaker, scene: SceneDescription): string {
  return `${afterFirst(s, scene)} while ${s.backgroundFinite(scene.background!)}`
}

/** First a dog barks twice, then a clock ticks, and finally a bell rings. */
function firstThen(s: Speaker, { groups }: SceneDescription): string {
  const clauses = groups.map((group) => s.finite(group))
  return clauses
    .map((clause, i) =>
      i === 0
        ? `first ${clause}`
        : i > 1 && i === clauses.length - 1
          ? `and finally ${clause}`
          : `then ${clause}`,
    )
    .join(', ')
}

/** A dog barks twice and then a clock ticks while a bell rings. `aside` follows the first clause. */
function clauses(s: Speaker, { groups, relations }: SceneDescription, aside = ''): string {
  let text = s.finite(groups[0]!) + aside
  let before = false
  for (let i = 1; i < groups.length; i++) {
    const group = groups[i]!
    if (relations[i - 1] === 'overlap') {
      text += s.choose([
        ` while ${s.finite(group)}`,
        ` as ${s.finite(group)}`,
        ` and at the same time ${s.finite(group)}`,
      ])
      continue
    }
    const last = i === groups.length - 1 && i > 1
    const forms = [
      `, then ${s.finite(group)}`,
      ` and then ${s.finite(group)}`,
      `, followed by ${s.gerund(group)}`,
    ]
    if (!before && aside === '') forms.push(` before ${s.finite(group)}`)
    if (last) forms.push(`, and finally ${s.finite(group)}`)
    const form = s.choose(forms)
    before ||= form.startsWith(' before')
    text += form
  }
  return text
}

/** Two dog barks followed by the ticking of a clock. */
function nouns(s: Speaker, { groups, relations }: SceneDescription): NounPhrase {
  const [first, ...rest] = groups.map((group) => s.noun(group)) as [NounPhrase, ...NounPhrase[]]
  let text = first.text
  for (const [i, noun] of rest.entries()) {
    const together = relations[i] === 'overlap'
    const joints = together
      ? [' together with ', ' along with ', ' mixed with ']
      : [' followed by ', ', then ', ' and then ']
    text += s.choose(joints) + noun.text
  }
  return { text, plural: first.plural }
}

/** A dog barking twice, followed by a clock ticking. */
function gerunds(s: Speaker, { groups, relations }: SceneDescription): string {
  return groups
    .map((group, i) => {
      if (i === 0) return s.gerund(group)
      const joints =
        relations[i - 1] === 'overlap'
          ? [' while ', ' and at the same time ']
          : [', followed by ', ', then ', ' and then ']
      const joint = s.choose(joints)
      return joint + (joint === ' while ' ? s.finite(group) : s.gerund(group))
    })
    .join('')
}

/** There are two dog barks and then the ticking of a clock. */
function there(s: Speaker, scene: SceneDescription): string {
  const { text, plural } = nouns(s, scene)
  return `there ${plural ? 'are' : 'is'} ${text}`
}
