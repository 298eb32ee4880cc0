import { type Command, Option } from 'commander'
import { collect, integer, seconds, share } from './option-values.js'
import { run } from './run-command.js'

/** More draws tell nothing more, and take minutes. */
const mostReplicates = 100_000

/** What graded relevance needs: a command of commands. */
export function addRelevance(relevance: Command): void {
  relevance.description('graded relevance: ratings of listeners, and what follows from the captions alone')
  const rated = (command: Command): Command =>
    command
      .option('--scale <low,high>', 'least and greatest rating; default: 0,100, for a column relevance 0,1')
      .addOption(
        new Option('--again <what>', 'when a rater rates a pair again')
          .choices(['refuse', 'mean', 'first', 'last'])
          .default('refuse'),
      )
      .option(
        '--screen <rule=limit>',
        'leave out raters or ratings: controls=0.2, agreement=0.2, played=5, straight-lining=0.5; repeatable',
        collect,
        [],
      )

  rated(relevance.command('import'))
    .description('read ratings, say what is in them, and write one relevance for each pair')
    .argument('<ratings...>', 'CSV query,item,rater,rating[,played,group] or tid,fid,fid_group,rating')
    .option('--out <file>', 'CSV query,item,relevance,… to write, or with --manifest a manifest')
    .option(
      '--manifest <file>',
      'clips in whose captions the relevance is written; --out is the new manifest',
    )
    .addOption(new Option('--average <how>', 'of several raters').choices(['mean', 'median', 'trimmed-mean']))
    .option('--trim <share>', 'answers that trimmed-mean leaves out at each end; default 0.2', share)
    .option('--min-raters <n>', 'pairs of fewer raters stay unjudged; default 1', integer(1))
    .action(run(() => import('./commands/relevance/import.js')))

  rated(relevance.command('agreement'))
    .description('how far raters agree: Krippendorff’s alpha, intraclass and rank correlations')
    .argument('<ratings...>', 'CSV query,item,rater,rating; several files are one table')
    .option('--replicates <n>', 'draws of queries for the intervals', integer(99, mostReplicates), 999)
    .option('--seed <n>', 'seed of the draws', integer(0), 17)
    .action(run(() => import('./commands/relevance/agreement.js')))

  relevance
    .command('fit')
    .description('fit relevance to similarities of captions, where a clip is known by its captions')
    .argument(
      '<ratings>',
      'CSV query,item,relevance, or ratings; queries are ids of captions, items ids of clips',
    )
    .requiredOption('--captions <file>', 'captions of the clips: a manifest, or CSV tid,fid,text')
    .option(
      '--similarity <name>',
      'words, stems, pairs or characters (LSA of 1 to 1024 dimensions; stems:300), word-vectors, word-vectors=FILE, a sentence encoder onnx=FILE or use, or vectors=FILE.npy, with /mean or /max over a clip’s captions; repeatable; default stems:300/mean',
      collect,
      [],
    )
    .addOption(
      new Option('--calibration <curve>', 'what corrects the logistic function; default: nothing').choices([
        'isotonic',
        'spline',
      ]),
    )
    .option('--folds <n>', 'parts of cross-validation by query; 0: none', integer(0), 5)
    .option('--validation <ratings>', 'other ratings to measure on')
    .option('--validation-captions <file>', 'their captions; default: those of --captions')
    .option('--cache <dir>', 'folder that keeps what a sentence encoder gives; default: not kept')
    .option('--seed <n>', 'seed of vectors, folds and draws', integer(0), 17)
    .option('--out <file>', 'model to write (safetensors)')
    .option('--page <file>', 'page with the calibration plot to write (HTML)')
    .action(run(() => import('./commands/relevance/fit.js')))

  relevance
    .command('apply')
    .description('relevance of the clips for every caption of a corpus, as a fitted model tells it')
    .argument('<model>', 'what sonotext relevance fit wrote')
    .requiredOption('--captions <file>', 'captions of the clips: a manifest, or CSV tid,fid,text')
    .requiredOption('--out <file>', 'CSV query,item,relevance to write, or with --manifest a manifest')
    .option(
      '--manifest <file>',
      'clips in whose captions the relevance is written; --out is the new manifest',
    )
    .option('--top <n>', 'clips kept for each caption', integer(1), 50)
    .option('--least <relevance>', 'less relevant clips are left out', share, 0)
    .option('--cache <dir>', 'folder that keeps what a sentence encoder gives; default: not kept')
    .option('--device <name>', 'auto, cpu, cuda, cuda:N or reference')
    .option('--threads <n>', 'threads of the native pool', integer(1, 256))
    .action(run(() => import('./commands/relevance/apply.js')))

  relevance
    .command('analyse')
    .description(
      'what ratings, and how far a model is from them, depend on: how complex captions and clips are',
    )
    .argument(
      '<ratings>',
      'CSV query,item,relevance, or ratings; queries are ids of captions, items ids of clips',
    )
    .requiredOption('--captions <file>', 'captions of the clips: a manifest, or CSV tid,fid,text')
    .option(
      '--machine <file>',
      'what a model says of the pairs: CSV query,item,relevance, or what sonotext relevance fit wrote',
    )
    .option(
      '--clips <file>',
      'lengths of the clips: a manifest, or CSV fid,duration or fid,start_end_samples; default: those of --captions',
    )
    .option(
      '--posteriors <file>',
      'activities of any sound classifier: safetensors with [frames × classes] by id of a clip',
    )
    .addOption(
      new Option('--pairs <which>', 'captions with their own clips, or all that are rated')
        .choices(['own', 'all'])
        .default('own'),
    )
    .option('--replicates <n>', 'draws of queries for the intervals', integer(99, mostReplicates), 499)
    .option('--seed <n>', 'seed of the draws', integer(0), 17)
    .option('--page <file>', 'report to write (HTML)')
    .action(run(() => import('./commands/relevance/analyse.js')))

  relevance
    .command('page')
    .description(
      'a folder with a page for a listening test of one’s own: captions, clips, sliders, ratings as a table',
    )
    .argument('<manifest>', 'clips with captions (JSONL)')
    .requiredOption('--out <dir>', 'folder for index.html and the recordings')
    .option('--split <name>', 'only clips of this split')
    .option('--queries <n>', 'captions that are rated, drawn at random; default: all', integer(1))
    .option('--candidates <n>', 'clips of a list besides the caption’s own and a control', integer(0), 3)
    .option(
      '--relevance <file>',
      'relevance guessed before, such as by sonotext relevance apply: candidates are the most relevant clips, and no judged clip is a control while there are others',
    )
    .option('--raters <n>', 'how many people rate', integer(1, 10_000), 3)
    .option(
      '--raters-each <n>',
      'how many of them rate each list; default 3, or all when there are fewer',
      integer(1),
    )
    .option('--least-seconds <s>', 'how long a clip must have been played before it can be rated', seconds, 5)
    .option('--title <text>', 'title of the page')
    .option('--seed <n>', 'seed of lists and orders', integer(0), 17)
    .action(run(() => import('./commands/relevance/page.js')))
}
