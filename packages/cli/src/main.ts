import process from 'node:process'
import { Argument, Command, CommanderError, Option } from 'commander'
import { exitCode } from './exit.js'
import { modelArgument } from './model-argument.js'
import { collect, factor, integer, number, seconds, secondsFrom, share } from './option-values.js'
import { addRelevance } from './relevance-commands.js'
import { run } from './run-command.js'

function program(): Command {
  const root = new Command('sonotext')
    .description('Learning between audio and natural language: train, search, measure.')
    .version('0.1.0')
    .option('--json', 'stdout is one JSON document; everything else goes to stderr')
    .option('--quiet', 'no progress and no notes')
    .option('--plugin <file>', 'file or package that adds parts, such as a loss; repeatable', collect, [])
    .configureHelp({ sortSubcommands: false, showGlobalOptions: true })
    .exitOverride()
    .showSuggestionAfterError(true)

  const configured = (command: Command): Command =>
    command
      .option('-c, --config <file>', 'JSON or YAML configuration; see `sonotext config` for every key')
      .option(
        '-s, --set <key=value>',
        'change one key of the configuration, for example training.epochs=3',
        collect,
        [],
      )
  const decoding = (command: Command): Command =>
    command
      .option('--max-seconds <s>', 'longest recording that is read; default: 3600, for check 600', seconds)
      .option(
        '--max-expansion <n>',
        'bytes of samples for each byte of a file, above 64 MiB; default: 4096',
        factor,
      )
      .option('--accept-cut', 'take what is there of files whose end is missing')
      .option('--ffmpeg', 'let the ffmpeg on the path decode what is not read otherwise')

  const withBank = (command: Command): Command =>
    decoding(command)
      .option(
        '--bank <dir>',
        'folder of labelled clips (a sub-folder for each class, or --csv); default: procedural sounds',
      )
      .option('--csv <file>', 'labels of the clips, such as the CSV of ESC-50')
      .option('--activity <file>', 'CSV file,onset,offset: where the clips are active; default: measured')
      .option(
        '--folds <name=folds>',
        'folds of the CSV for a split, for example train=1,2,3; repeatable',
        collect,
        [],
      )
  const onBackend = (command: Command): Command =>
    command
      .option('--device <name>', 'auto, cpu, cuda, cuda:N or reference')
      .addOption(
        new Option(
          '--matmul <precision>',
          'what products round their operands to: on a CUDA device all, on the CPU frame scores (bf16)',
        ).choices(['fp32', 'tf32', 'bf16']),
      )
      .option('--threads <n>', 'threads of the native pool', integer(1, 256))

  const onClips = (command: Command): Command =>
    decoding(command)
      .option('--manifest <path>', 'another manifest than the one trained on, or a folder of audio files')
      .option(
        '--max-bad <share>',
        'largest share of unusable clips that is accepted; default: as in training',
        share,
      )

  const measured = (command: Command): Command =>
    command
      .option('--measures <names>', 'comma-separated; default: R@1,R@5,R@10,mAP@10,MRR,medR')
      .addOption(
        new Option('--interval <method>', 'what is drawn at random for the 95 % intervals')
          .choices(['cluster', 'cluster-bootstrap', 'query-jackknife'])
          .default('cluster'),
      )
      .option('--per-query', 'with --json: the values of every query too')

  onBackend(withBank(root.command('demo')))
    .description(
      'compose scenes from a procedural sound bank, train, evaluate and search: needs nothing but this package',
    )
    .option('--out <dir>', 'where the run goes', 'runs/demo')
    .option('--seed <n>', 'seed of scenes and training', integer(0), 17)
    .option('--epochs <n>', 'training epochs', integer(1))
    .action(run(() => import('./commands/demo.js')))

  withBank(root.command('compose'))
    .description('mix labelled clips into scenes with known events and five captions each')
    .requiredOption('--out <dir>', 'folder for the WAV files and manifest.jsonl')
    .option(
      '--split <name=count>',
      'scenes of a split, repeatable; default train=800, validation=60, test=150',
      collect,
      [],
    )
    .option('--duration <seconds>', 'length of a scene, 2 to 600', number, 10)
    .option('--sample-rate <hz>', 'sample rate of the scenes', integer(1000), 22_050)
    .option('--single <share>', 'share of scenes in which one thing is heard alone', share, 0)
    .option('--seed <n>', 'seed of the scenes', integer(0), 17)
    .action(run(() => import('./commands/compose.js')))

  decoding(root.command('check'))
    .description('find missing, empty, corrupt, silent, (near-)duplicate and leaking clips of a manifest')
    .argument('<manifest>', 'manifest (JSONL), or a folder of audio files')
    .option('--max-bad <share>', 'largest share of bad clips that still exits 0', share, 0)
    .option('--out <file>', 'write a manifest without the bad clips')
    .option('--duplicates <csv>', 'write the pairs of clips that share sound, for the guard duplicate-clips')
    .option('--no-near-duplicates', 'do not look for clips that share sound: only for exact copies')
    .addOption(
      new Option('--preset <name>', 'features the clips are meant for')
        .choices(['thesis', 'dcase2023', 'librosa', 'torchaudio', 'clap', 'yamnet', 'whisper'])
        .default('thesis'),
    )
    .action(run(() => import('./commands/check.js')))

  root
    .command('import')
    .description('make a manifest from the CSV files of a data set, or from a folder with or without a CSV')
    .argument('<path...>', 'caption files; for folder also a folder of audio files without a CSV')
    .option(
      '--from <name>',
      'what the files are: clotho, audiocaps, wavtext5k, matches, audiogrounding, segments, folder, or an importer of a plugin',
    )
    .option('-s, --set <key=value>', 'any key of the importer; repeatable', collect, [])
    .option('--out <file>', 'manifest to write (JSONL)')
    .option('--dry-run', 'write nothing: show what would be read, what not and why')
    .option('--audio <dir>', 'folder of the audio files, repeatable; default: that of the CSV', collect, [])
    .option('--metadata <csv>', 'clotho: metadata CSV of the same split')
    .option(
      '--split <name>',
      'split of clips whose row names none; default: the last word in the name of a data set’s CSV',
    )
    .option('--share <shares>', 'splits by recording, for example train=.8,validation=.1,test=.1')
    .option('--seed <n>', 'seed of --share', integer(0), 17)
    .option(
      '--column <role=name>',
      'folder: column of file, text, id, split, group, tags, source, author or license; repeatable',
      collect,
      [],
    )
    .option('--file-pattern <pattern>', 'audio file names made from columns, for example {ytid}_{start}.flac')
    .option('--delimiter <mark>', 'folder: what separates cells; default: found out')
    .option('--ffmpeg', 'folder: take files that only ffmpeg reads as well, such as M4A')
    .action(run(() => import('./commands/import.js')))

  onBackend(decoding(root.command('features')))
    .description('log-mel features of audio files as float32 NPY [frames × bands]')
    .argument('<paths...>', 'audio files, folders or manifests')
    .option('--preset <name>', 'thesis, dcase2023, librosa, torchaudio or clap', 'thesis')
    .requiredOption('--out <path>', 'X.npy, a pipe or /dev/stdout for one file, a folder for several')
    .option('--sample-rate <hz>', "resample to this rate first; default: the file's own", integer(1000))
    .addOption(
      new Option('--precision <kind>', 'what frames are transformed in; float32 is faster')
        .choices(['float64', 'float32'])
        .default('float64'),
    )
    .option('--max-bad <share>', 'largest share of unreadable files that still exits 0', share, 0)
    .action(run(() => import('./commands/features.js')))

  onBackend(configured(root.command('train')))
    .description('train a model as the configuration says')
    .requiredOption('--run <dir>', 'where the run goes')
    .option('--resume', 'go on where the run stopped; without --config, as it was configured')
    .option(
      '--ranks <n>',
      'processes of this machine that share every batch; mpirun and srun start them by themselves',
      integer(1, 256),
    )
    .action(run(() => import('./commands/train.js')))

  onBackend(measured(onClips(root.command('evaluate'))))
    .description(
      'retrieval measures of a model, or of vectors or scores made elsewhere, both directions, with chance beside them; or what any system found in recordings',
    )
    .argument('[run]', modelArgument)
    .addOption(
      new Option('--task <name>', 'what is measured')
        .choices(['retrieval', 'alignment', 'moments'])
        .default('retrieval'),
    )
    .option(
      '--truth <file>',
      'alignment: where phrases are; moments: JSONL with relevant_windows; vectors and scores: lines { "caption": id, "clip": id }, or a manifest',
    )
    .option(
      '--predictions <path>',
      'alignment: segments, scores over time, or both; moments: JSONL with pred_relevant_windows; repeatable',
      collect,
      [],
    )
    .option(
      '--map <name=name>',
      'alignment: what a recording of the predictions is called in the truth, where the names differ; repeatable',
      collect,
      [],
    )
    .option('--split <name>', 'split of the manifest', 'test')
    .option('--audio <file>', 'without a run: vectors of clips, NPY with FILE.ids.txt or safetensors')
    .option('--text <file>', 'without a run: vectors of captions')
    .option('--scores <file>', 'in place of vectors: NPY [clips × captions] in the order of the truth')
    .option(
      '--relevance <file>',
      'graded relevance of captions and clips: CSV query,item,relevance, ratings, or a manifest that states it',
    )
    .option(
      '--min-grade <grade>',
      'with --relevance: least relevance, 0 to 1, that counts; default: any above 0',
      number,
    )
    .addOption(unjudgedOption())
    .option(
      '--pool <n>',
      'R@1 and R@5 among so many clips and captions, drawn 20 times; the aligning paper has 30',
      integer(2),
    )
    .action(run(() => import('./commands/evaluate.js')))

  onBackend(onClips(root.command('compare')))
    .description('test whether trained models differ on the same clips, measure by measure')
    .argument('[runs...]', 'folders of two or more training runs; each is compared with the first')
    .option(
      '--group <name=runs>',
      'in place of runs: several seeds of one system, as random=runs/a,runs/b; repeatable, each is compared with the first',
      collect,
      [],
    )
    .option('--split <name>', 'split of the manifest', 'test')
    .option('--measures <names>', 'comma-separated; default: mAP@10, with --relevance the graded ones')
    .option('--plot <file>', 'page with the differences drawn to write (HTML)')
    .option(
      '--replicates <n>',
      'draws of the bootstrap and of the randomisation test',
      integer(99, 1_000_000),
      9999,
    )
    .option('--seed <n>', 'seed of the draws', integer(0), 17)
    .option(
      '--relevance <file>',
      'graded relevance of captions and clips: CSV query,item,relevance, ratings, or a manifest that states it',
    )
    .option(
      '--min-grade <grade>',
      'with --relevance: least relevance, 0 to 1, that counts; default: any above 0',
      number,
    )
    .addOption(unjudgedOption())
    .action(run(() => import('./commands/compare.js')))

  root
    .command('report')
    .description('draw curves and comparisons of training runs, finished or not, as one HTML file')
    .argument('<runs...>', 'folders of one or more training runs')
    .option('--out <file>', 'HTML file to write', 'report.html')
    .action(run(() => import('./commands/report.js')))

  onBackend(onClips(root.command('search')))
    .description('find the clips that match sentences, or the captions that match recordings')
    .argument('<run>', modelArgument)
    .argument('[sentences...]', 'what to look for')
    .option(
      '--audio <path>',
      'a recording to find captions for, repeatable; with sentences a folder to search instead of the manifest',
      collect,
      [],
    )
    .option('-k, --top <n>', 'hits for each', integer(1), 5)
    .option('--split <name>', 'search only this split')
    .action(run(() => import('./commands/search.js')))

  const onPhrases = (command: Command): Command =>
    decoding(command)
      .addOption(
        new Option('--words <how>', 'how the scores of the words of a phrase become one')
          .choices(['mean', 'max'])
          .default('mean'),
      )
      .option(
        '--smooth <s>',
        'seconds of a running mean over the scores, such as 1.2 with a tower',
        secondsFrom(0, 60),
        0,
      )
      .option('--window <s>', 'seconds of a recording that are scored at once', secondsFrom(0.1, 3600), 30)
      .option('--margin <s>', 'seconds of context at the ends of a window', secondsFrom(0, 600), 2)
      .option(
        '--unlabelled <path>',
        'manifest or folder by which thresholds are found; default: the training clips',
      )
      .option('--no-calibrate', 'no thresholds: every phrase has a best place, whether it is there or not')

  onBackend(onPhrases(root.command('align')))
    .description(
      'find where the phrases of a text are heard in a recording, or of captions in the clips of a manifest',
    )
    .argument('<run>', 'folder of a training run')
    .argument('<audio>', "a recording, the id of a clip of the run's manifest, or a manifest (JSONL)")
    .argument('[text]', 'what is heard in it, as a sentence')
    .option(
      '--phrases <phrase...>',
      'phrases in place of a text; of a manifest: whose scores over time are written for every clip',
      [],
    )
    .option(
      '--out <file>',
      'where the result goes; for a manifest a line of JSON each, and a second call goes on',
    )
    .option(
      '--format <name>',
      'json, jsonl, csv, strong-labels, vtt, audacity, textgrid, eaf or jams; default: by the ending of --out',
    )
    .option('--page <file>', 'an HTML page of the recording with scores, segments and sound')
    .option('--threshold <score>', 'from 0 to 1: what counts as a match', share, 0.5)
    .option('--joint', 'bind what is found to "then", "while" and their like')
    .addOption(
      new Option('--order <meaning>', '"then": the first begins before the second, or ends before it')
        .choices(['begins', 'ends'])
        .default('begins'),
    )
    .action(run(() => import('./commands/align.js')))

  onBackend(onPhrases(root.command('moments')))
    .description(
      'find the parts of a long recording that answer a query, or of many that answer a file of them',
    )
    .argument('<run>', 'folder of a training run')
    .argument(
      '<audio>',
      "a recording, the id of a clip of the run's manifest, or queries as JSONL { qid, query, vid }",
    )
    .argument('[query]', 'what to look for')
    .option('-k, --top <n>', 'how many at most', integer(1), 10)
    .option(
      '--threshold <score>',
      'from 0 to 1: what a phrase of the query must reach; default: 0.5, for a file of queries 0, which ranks all',
      share,
    )
    .option('--min-length <s>', 'shortest moment', secondsFrom(0, 3600), 1)
    .option('--max-length <s>', 'longest moment', seconds, 60)
    .option('--audio <dir>', 'folder of the recordings that a file of queries names; default: its own')
    .option('--out <file>', 'where the answers to a file of queries go, a line each; a second call goes on')
    .action(run(() => import('./commands/moments.js')))

  measured(root.command('metrics'))
    .description(
      'score a ranking made elsewhere: a DCASE submission, a TREC run or a score matrix; what the files are is told from their contents',
    )
    .requiredOption(
      '--run <file>',
      'CSV caption,file_name_1..10 or query,audio_filenames, TREC run, or NPY scores [queries × items]',
    )
    .requiredOption(
      '--truth <file>',
      'CSV file_name,caption_1..5, query,audio_filenames or tid,fid,fid_group,rating, TREC qrels, or a manifest that states relevance',
    )
    .option('--row-ids <file>', 'what the rows of a score matrix are: one query a line')
    .option('--column-ids <file>', 'what its columns are: one item a line')
    .addOption(
      new Option('--direction <name>', 'what the run ranks; default: textToAudio').choices([
        'textToAudio',
        'audioToText',
      ]),
    )
    .option(
      '--items <n>',
      'items that the rankings choose from; default: all that the files name',
      integer(1),
    )
    .option('--min-grade <grade>', 'least grade that counts as relevant; default: any above 0', number)
    .option(
      '--grade-scale <grade>',
      'largest grade there is, by which all are divided (for nDCG-exp); default: not divided, ratings up to 100, relevance up to 1',
      number,
    )
    .addOption(unjudgedOption())
    .action(run(() => import('./commands/metrics.js')))

  addRelevance(root.command('relevance'))

  onBackend(onClips(root.command('embed')))
    .description(
      'vectors of clips and captions with their ids, as NPY, safetensors or an index to search; goes on where it was stopped',
    )
    .argument('<run>', modelArgument)
    .requiredOption('--out <dir>', 'folder for audio, text and truth.jsonl')
    .option('--split <name>', 'only this split')
    .option('--inputs', 'what the towers give, before anything trained: what an exported model takes')
    .addOption(
      new Option('--format <name>', 'of the vectors').choices(['npy', 'safetensors', 'index']).default('npy'),
    )
    .addOption(
      new Option(
        '--precision <name>',
        'what an index is looked through in by few queries; its hits are the same (default float32)',
      ).choices(['float32', 'float16', 'int8']),
    )
    .action(run(() => import('./commands/embed.js')))

  onBackend(decoding(root.command('classify')))
    .description('label recordings by sentences about the labels, with shares that can be calibrated')
    .argument('<run>', modelArgument)
    .argument('<paths...>', 'audio files, folders or manifests')
    .requiredOption('--labels <names>', 'comma-separated, for example dog,rain,"church bells"')
    .option(
      '--prompt <text>',
      'sentence with {} for the label, repeatable; default: the sound of {}',
      collect,
      [],
    )
    .option('--temperature <t>', 'divides scores before they become shares; default: as trained', number)
    .option('--calibrate <manifest>', 'clips whose tag is a label: finds the temperature')
    .option('--split <name>', 'with --calibrate: only this split')
    .action(run(() => import('./commands/classify.js')))

  onBackend(root.command('export'))
    .description(
      'the trained heads of a run as ONNX: audio.onnx, text.onnx, and model.json with the front end',
    )
    .argument('<run>', modelArgument)
    .requiredOption('--out <dir>', 'folder for the files')
    .action(run(() => import('./commands/export.js')))

  root
    .command('models')
    .description(
      'pretrained models that are known; models check FILE says whether a file is understood, and why not',
    )
    .argument('[check]', 'check')
    .argument('[file]', 'ONNX file')
    .option('--tokenizer <file>', 'tokenizer.json of a text model; default: the one beside it')
    .action(run(() => import('./commands/models.js')))

  root
    .command('config')
    .description('print every configuration key with its default')
    .option('--yaml', 'as a configuration file to start from')
    .action(run(() => import('./commands/config.js')))

  root
    .command('init [folder]')
    .description('a starter project that runs at once: programs, package.json, and what to do next')
    .option('--template <name>', 'train, search or bench', 'train')
    .action(run(() => import('./commands/init.js')))

  root
    .command('bench')
    .description('compare the speed of two versions of Sonotext here, and of your own functions with each')
    .addArgument(new Argument('<what>', 'what to do').choices(['check']))
    .option('--against <build>', 'version or path to compare with')
    .option('--of <build>', 'version or path that is judged; default: what is installed')
    .option('--functions <file>', 'your own functions; default: sonotext.bench.mjs where it is')
    .option('--only <names>', 'ops, scenarios and functions, comma-separated')
    .option('--accept <names>', 'may be slower')
    .option('--slow <name:factor>', 'make something slower, to see it found')
    .option('--budget <s>', 'for timing; what is undecided is repeated until then', seconds, 100)
    .option('--markdown <file>', 'append the report to this file')
    .action(run(() => import('./commands/bench.js')))

  onBackend(root.command('doctor'))
    .description(
      'what this machine can do: backend, instruction set, threads, device, decoders, and what to do next',
    )
    .action(run(() => import('./commands/doctor.js')))

  root.showHelpAfterError('See: sonotext --help')
  for (const command of root.commands) {
    command.showHelpAfterError(`See: sonotext ${command.name()} --help`)
    for (const sub of command.commands)
      sub.showHelpAfterError(`See: sonotext ${command.name()} ${sub.name()} --help`)
  }
  return root
}

function unjudgedOption(): Option {
  return new Option(
    '--unjudged <what>',
    'items that nobody has judged: irrelevant (default), or left-out, which measures the ranking of the judged ones',
  ).choices(['irrelevant', 'left-out'])
}

/** Runs the command line; returns through process.exitCode so that pending output is written. */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader that has seen enough (`| head`) ends the command quietly; nobody watching does not end it.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
  process.stderr.on('error', () => {})
  try {
    await program().parseAsync(argv as string[], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? exitCode.ok : exitCode.usage
  }
}

await main(process.argv.slice(2))
