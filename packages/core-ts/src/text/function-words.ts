/** English words of closed classes: articles, pronouns, prepositions, conjunctions, auxiliaries, particles. All others count as content words. */
export const functionWords: ReadonlySet<string> = new Set(
  `a an the this that these those some any each every both either neither no all another other such
  i you he she it we they me him her us them my your his its our their mine yours hers ours theirs
  myself yourself himself herself itself ourselves themselves who whom whose which what someone somebody something
  anyone anybody anything everyone everybody everything nobody nothing one ones there here
  and or but nor so yet for as if while whilst when where whereas because since until till before after once than though although
  of in on at by with without from to into onto over under above below up down out off about around across through
  along against among amid amidst between behind beside besides near past toward towards within inside outside upon via during per like
  am is are was were be been being do does did doing have has had having can could may might must shall should will would
  not n't 's 're 've 'll 'd too very also just then again`
    .split(/\s+/)
    .filter(Boolean),
)
