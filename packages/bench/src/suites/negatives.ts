/**
 * nx run bench:negatives [-- options]
 *
 * Trains models with every registered way of choosing negatives, on equal seeds and data, measures what each costs and how well the
 * models search, and says why. Ends with a table, a JSON file, a CSV file and a report in one HTML file.
 *
 *   (nothing)          quick mode: small scenes of synthesised sounds, three seeds, a tower of fixed random convolutions, which has
 *                      learned nothing: it shows that all runs, and tells few strategies apart; minutes
 *   --full             every strategy with ten seeds and every question, larger scenes; hours, the tower the same random convolutions
 *                      unless --onnx gives one. What is there already is not computed again
 *   --onnx FILE        a frozen tower in place of the random convolutions: ONNX, log-mel patches [n, 96, 64] in, vectors out; default none
 *   --bank DIR         labelled recordings besides the synthesised sounds (ESC-style folders); default none
 *   --csv FILE         their labels and folds: 1 to 3 to train on, 4 for the curve, 5 for the tests; default none: sub-folders are classes
 *   --seeds N          seeds of every cell; default as planned: 3, with --full 10 in main and pooled and 5 or 3 in the others
 *   --epochs N         epochs of every model; default as planned: 6 (crnn 2), with --full 8 (batch 128: 32)
 *   --strategies A,B   only these strategies, and random, which all are compared with; default: all that are registered
 *   --plugin FILE      a file with strategies of one's own, which are compared like the others; may be repeated; default none
 *   --only TEXT        only cells whose "setting variant seed" has this text, such as "main hard"; "cost" for the cost alone; default all
 *   --skip-cost        quality alone; default: both
 *   --report           train and time nothing: report the cells that are there; default: train what is missing
 *   --shard I/N        every N-th cell from the I-th, for several machines with one --work; default 1/1
 *   --jobs N           processes that train at once; default 1
 *   --device NAME      auto, cpu, cuda or reference; default cpu
 *   --work DIR         scenes, features and a file for every finished cell; default runs/negatives
 *   --out DIR          where results.json, results.csv and report.html go; default: the work folder
 *   --json             print the results as JSON in place of the table; default: the table
 *   --help             this
 *
 * A cell is one model: a setting (encoder, similarity, batch size …), a strategy and a seed. Stopped at any point, the same command goes
 * on. See docs/guide/negatives.md.
 */
import '../direct.js'
import { runStudy } from '../negatives/study.js'

process.exitCode = await runStudy(process.argv.slice(2))
