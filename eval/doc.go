// Package eval measures what an AI system produces: text, retrieval and
// classification metrics that agree with their reference implementations to
// the last digit. Package eval/suite runs them over a dataset and decides
// whether a build passes.
//
// # The lecture
//
// Lecture 5. On Monday a colleague changes a prompt, tries four questions, likes
// the answers and ships. On Thursday support has forty tickets: the new prompt
// answers in English whatever the question's language. None of the four was a
// German question. A system that isn't measured is a demo, and a
// system that is measured on four examples is a demo with a number.
//
// An evaluation has three parts. This package is about the third, the metrics;
// eval/suite puts the parts together:
//
//	dataset            system under test          metrics
//	───────            ─────────────────          ───────
//	case: input,   ──►  output: text,     ──►     statistics per case
//	references          documents, calls              │  they add up
//	golden, edge,                                     ▼
//	regression,        baseline run ──► compare ◄── score ± signature
//	adversarial                            │          │
//	                                       ▼          ▼
//	                                    thresholds: does the build pass?
//
// Datasets are in eval/dataset, the runner with its slices, thresholds and
// baseline in eval/suite, printed reports in eval/report, assertions for go test
// in eval/evaltest, error bars and experiments in eval/stats.
//
// # Scores are sums
//
// The idea that carries the package is the sufficient statistic. Corpus BLEU
// is not the mean of sentence BLEUs: it divides the sum of matched n-grams by
// the sum of all of them. So a [Metric] has no method that scores. It has one
// that turns a segment into numbers that add up, [Metric.Stats], and one that
// turns a sum of them into a value, [Metric.Value]:
//
//	segment 1 ─► [hyp len, ref len, matches…, totals…] ┐
//	segment 2 ─► [ …                                 ] ├─ Σ ─► Value ─► BLEU
//	segment 3 ─► [ …                                 ] ┘
//
// A loop, a stream, shards on many machines, a slice by language, a bootstrap
// (sum other rows) and a randomization test (swap rows between two systems)
// are then one code path, and a metric of your own gets all of them for two
// short methods; [NewMean] makes one from a function. [ScoreCorpus] scores lists of
// texts, [Sum] a stream or a shard in constant memory, and a [Table] keeps the
// rows for eval/stats to resample.
//
// # Signatures
//
// "BLEU 27.3" is not a measurement. With another tokenizer the same output
// scores 29.1, and papers have compared the two. Every [Score] carries a
// [Signature]: metric, tokenizer, options, version of the definition, number
// of references and segments. [Score.Minus] refuses to subtract scores whose
// signatures differ; so do the journal and the baseline of eval/suite.
//
// # Which metric
//
//   - [ExactMatch], [TokenF1]: short answers with a known truth. Start here;
//     if the task can be made to have short answers, make it.
//   - [BLEU], [ChrF], [TER]: translation. chrF if you must pick one; BLEU to
//     compare with the literature.
//   - [ROUGE]: summaries, as recall of what a person found worth saying.
//   - [METEOR], [BERTScore]: when other words for the same thing are right.
//   - [Retrieval]: nDCG, MAP, MRR, recall, for the half of a RAG system that
//     fails first.
//   - [WER]: speech, OCR, anything transcribed.
//   - [JSONMatch], [ToolMatch]: structured output, tool calls, agents' paths.
//   - [Perplexity], [PassAtK], [DistinctN], [SelfBLEU]: models that are
//     sampled.
//   - [Confusion], [ROCAUC], [CalibrationError]: classifiers and confidence.
//   - [NewLatency], [NewCost]: what it took. A better answer that takes nine
//     seconds is often the worse product.
//
// Each one's comment gives its formula, its source and when it misleads.
// Overlap with a reference is a proxy: all of them reward the right words and
// none reads the sentence. "The drug is safe" and "The drug is not safe" have
// a BLEU of 38 with each other and a ROUGE-1 of 0.89.
//
// # A short program
//
//	bleu, err := eval.NewBLEU(nil)
//	// ...
//	score, err := eval.ScoreCorpus(ctx, bleu, outputs, references)
//	fmt.Println(score) // BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0 = 27.31
//
// The comment of eval/suite shows the same metrics in a suite that fails a build,
// resumes after it was killed, and reports which slice got worse.
//
// # Pitfalls
//
//   - A metric that didn't run is not one that passed. [SkipError] keeps the
//     two apart all the way to the gate, and a gate over nothing fails.
//   - Looking at the test set is training on it. Keep a part that only the CI
//     reads (dataset.Dataset's Split), and check for leaks.
//   - Python and Go differ on what a space, a lower case letter and a rounded
//     sum are. The metrics here follow Python where the reference is Python;
//     Unicode's punctuation and symbols are Go's version of the tables, which
//     differ on characters assigned in recent years.
//
// # Fast enough for every commit
//
// Scoring a segment allocates nothing once warm, and one core scores some
// 300,000 sentence pairs a second with BLEU, 90,000 with chrF, 130,000 with TER
// and 400,000 with ROUGE: 50 to 100 times the Python references, and no slower
// than the Rust and C++ ones, with the same values. Repeat it (the script
// fetches the peers) with
//
//	sh eval/testdata/peers/run.sh
//
// # Exercises
//
//  1. Write two summaries, a true and a false one, such that ROUGE prefers the
//     false one. How many words had to change?
//  2. Score the same output with BLEU's five tokenizers. Which two scores are
//     closest, and why can they still not be compared?
//  3. Write a metric that is 1 where the answer is in the question's language,
//     and add it to a suite with NewMean.
//  4. How many cases does exact match need before a change from 0.80 to 0.82
//     is significant? Estimate, then use eval/stats to check.
//
// # Further reading
//
//   - Papineni, Roukos, Ward, Zhu 2002: BLEU, a Method for Automatic Evaluation
//     of Machine Translation
//   - Post 2018: A Call for Clarity in Reporting BLEU Scores (sacreBLEU)
//   - Lin 2004: ROUGE, a Package for Automatic Evaluation of Summaries
//   - Popović 2015, 2017: chrF and chrF++
//   - Snover et al. 2006: A Study of Translation Edit Rate
//   - Lavie, Agarwal 2007: METEOR
//   - Zhang et al. 2020: BERTScore
//   - Rajpurkar et al. 2016, 2018: SQuAD; Yang et al. 2018: HotpotQA
//   - Järvelin, Kekäläinen 2002: Cumulated Gain-based Evaluation of IR
//     Techniques; the trec_eval program
//   - Mathur, Baldwin, Cohn 2020: Tangled up in BLEU
//   - Reiter 2018: A Structured Review of the Validity of BLEU
//   - Miller 2024: Adding Error Bars to Evals
package eval
