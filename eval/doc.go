// Package eval measures what an AI system produces: text, search results, labels and tool calls.
// Each metric gives the same value as its reference implementation.
//
// # What you will be able to do
//
//   - Choose a metric for a task, and name the mistakes that this metric doesn't see.
//   - Explain BLEU, ROUGE, chrF and BERTScore with their formulas, and where each one misleads.
//   - Score a corpus so that the number can be repeated: metric, tokenizer, options, version.
//   - Write a metric of your own in a few lines.
//
// # The problem
//
// A team of four changes a prompt on a Monday. They try four questions, like the answers and
// release the prompt. On Thursday the support team has forty tickets: the new prompt answers in
// English, whatever the language of the question. None of the four questions was in German.
//
// A system that isn't measured is a demo. A system that is measured on four examples is a demo with
// a number. Lecture 5 replaces "I tried it and it looked good" by an evaluation: many cases with
// known good answers, a metric, and a rule that decides whether a change may be released.
//
// # The idea
//
// An evaluation has three parts: a dataset of cases, the system under test, and metrics. Each case
// has an input and what a good answer looks like. The system answers each case, and each metric
// compares the answer with what was expected. The diagram shows how they connect.
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
// The evaluation packages share the work. eval/dataset keeps the cases. eval has the metrics.
// eval/suite runs the cases and decides whether a build passes. eval/report prints the result,
// eval/evaltest makes it a Go test, and eval/stats says whether a difference is real.
//
// # Terms
//
//   - Metric (also: evaluation metric, measure): A metric is a rule that turns an output and what
//     was expected into a number. [Metric] is the interface, and [NewMean] makes a metric from a
//     function.
//   - Case (also: example, test case, eval case): A case is one row of a dataset: an input and what
//     a good answer looks like. [Case] has fields for references, relevant documents and tool
//     calls.
//   - Reference answer (also: reference, ground truth, gold answer, expected answer): A reference
//     answer is an answer that a person accepts as right. A case may have several references,
//     because there is often more than one right wording.
//   - Output (also: candidate, hypothesis, prediction): An output is what the system under test
//     produced for a case. [Output] has the text, the retrieved documents, the tool calls, the
//     latency and the cost.
//   - Golden set (also: gold set, golden dataset, golden cases): A golden set is a list of typical
//     inputs with the answers that a person has checked. Package eval/dataset keeps golden sets.
//   - N-gram (also: ngram, unigram, bigram, trigram): An n-gram is a run of n tokens in a row. "the
//     cat" is a bigram of words, "cat" is a trigram of characters.
//   - Precision: Precision is the share of what the system gave that is right. A system that gives
//     4 documents, 3 of them relevant, has a precision of 0.75.
//   - Recall (also: sensitivity, true positive rate): Recall is the share of what is right that the
//     system gave. A system that finds 3 of 10 relevant documents has a recall of 0.3.
//   - F1 (also: F1 score, F-score, F-measure): F1 is the harmonic mean of precision and recall,
//     2PR/(P+R). F1 is low if one of the two is low.
//   - Accuracy: Accuracy is the share of answers that are right. Accuracy misleads on rare classes:
//     on 5 % fraud, a program that always answers "fine" has an accuracy of 0.95.
//   - Exact match (also: EM): Exact match is 1 if the output equals a reference after both are
//     normalized, else 0. [ExactMatch] ignores case, punctuation and the articles a, an, the.
//   - Token F1 (also: word overlap, SQuAD F1): Token F1 is the F1 of the words that output and
//     reference share, in any order. [TokenF1] gives part marks where exact match gives 0.
//   - BLEU (also: bilingual evaluation understudy, sacreBLEU): BLEU is a score from 0 to 100 for
//     translations. BLEU multiplies the geometric mean of the precisions of 1- to 4-grams by a
//     penalty for short outputs.
//   - Brevity penalty (also: BP): The brevity penalty is the factor in BLEU that lowers the score
//     of outputs shorter than their references. Without the brevity penalty, a one-word output
//     could get 100.
//   - Smoothing: Smoothing replaces a count of 0 in BLEU by a small number. Without smoothing, one
//     n-gram length without a match makes the whole score 0, which is normal for a single sentence.
//   - ROUGE (also: ROUGE-1, ROUGE-2, ROUGE-N): ROUGE measures how much of a reference summary an
//     output contains. ROUGE-1 counts words, ROUGE-2 counts pairs of words. [ROUGE] gives
//     precision, recall and F1.
//   - ROUGE-L (also: rougeL, longest common subsequence): ROUGE-L is based on the longest list of
//     words that both texts have in the same order, with gaps allowed. ROUGE-Lsum does that
//     sentence by sentence.
//   - chrF (also: chrF2, chrF++, character F-score): chrF is an F-score from 0 to 100 over n-grams
//     of characters, up to length 6. chrF needs no tokenizer and forgives word endings. chrF++ adds
//     words.
//   - METEOR: METEOR matches the same words, then the same stems, then synonyms, and lowers the
//     score if the matches are in many pieces. [METEOR] is made for English.
//   - TER (also: translation edit rate): TER is the number of edits that turn the output into the
//     reference, per 100 reference words. A lower TER is better.
//   - BERTScore: BERTScore compares texts by the vectors of their tokens, so that a synonym counts
//     almost as much as the same word. [BERTScore] takes any function that gives token vectors.
//   - Edit distance (also: Levenshtein distance): Edit distance is the smallest number of
//     insertions, deletions and replacements that turn one text into the other. "kitten" and
//     "sitting" have 3.
//   - WER (also: word error rate, CER, character error rate): WER is the edit distance in words
//     divided by the words of the reference. WER measures speech recognition and OCR, and lower is
//     better.
//   - Perplexity (also: PPL): Perplexity is how surprised a model was by a text, exp of the mean
//     negative log-probability of a token. Perplexity measures prediction, not whether an answer is
//     right.
//   - nDCG (also: normalized discounted cumulative gain, nDCG@10): nDCG is a score from 0 to 1 for
//     a ranked list with graded judgments. A relevant document counts less the lower it is in the
//     list.
//   - Mean reciprocal rank (also: MRR): Mean reciprocal rank is the mean of 1 divided by the
//     position of the first relevant document. First place counts 1, second 0.5, not found 0.
//   - MAP (also: mean average precision): MAP is the mean over queries of the precision measured at
//     each relevant document. MAP needs yes/no judgments, where nDCG uses grades.
//   - Recall at k (also: recall@k, hit rate, hit@k, precision@k): Recall at k is the share of the
//     relevant documents among the first k results. Hit rate at k is the share of queries with at
//     least one relevant document among them.
//   - pass@k (also: pass at k, pass^k): pass@k is the chance that at least one of k answers is
//     right. pass^k is the chance that all k are right. [PassAtK] and [PassHatK] estimate them.
//   - Calibration (also: ECE, expected calibration error, Brier score): Calibration means that of
//     the answers given with 80 % confidence, 80 % are right. [CalibrationError] measures the gap.
//   - Confusion matrix (also: macro average, micro average): A confusion matrix counts how often
//     each true class was given each label. [Confusion] computes accuracy, F1 and more from it.
//   - Sufficient statistic (also: statistics of a segment): A sufficient statistic is a row of
//     numbers per case that adds up, and from whose sum the score is computed. The sufficient
//     statistics of BLEU are lengths and counts of n-grams.
//   - Signature: A signature names all that changes a score: metric, tokenizer, options, version,
//     number of references. Two scores may be compared only if their signatures are equal.
//   - Corpus score (also: corpus-level score, sentence-level score): A corpus score is computed
//     from the sums over all segments. A corpus score is not the mean of the sentence scores.
//   - Proxy metric (also: surrogate metric): A proxy metric measures something that is easy to
//     count in place of what matters. Word overlap is a proxy for meaning.
//
// # BLEU
//
// BLEU counts how many n-grams of the output occur in a reference. The formula multiplies the
// geometric mean of four precisions by the brevity penalty. p_n is the share of matched n-grams of
// length n, c the length of the outputs, and r the length of the closest references.
//
//	BLEU = 100 · BP · exp(¼ (log p_1 + log p_2 + log p_3 + log p_4))     BP = min(1, exp(1 - r/c))
//
// BLEU misleads on single sentences, on paraphrases, and between tokenizers. In one sentence there
// is often no common 4-gram, so that smoothing decides the score. A synonym costs as much as
// nonsense. [BLEU] follows sacreBLEU 2.6.0; use it for translation and to compare with papers.
//
// # ROUGE
//
// ROUGE counts how many n-grams of the reference summary the output contains. Precision divides the
// overlap by the output's n-grams, recall by the reference's. A long output gets a high recall, so
// report F1. [ROUGE] follows Google's rouge-score 0.1.2.
//
// ROUGE misleads on facts: "The drug is not safe for children." has a ROUGE-L of 92 with "The drug
// is safe for children." (go run ./examples/lab05-metrics). The default tokenizer of ROUGE keeps
// ASCII letters and digits only, so a Russian text gets 0 with itself. Set ROUGEOptions.Tokenizer
// to [UnicodeTokenizer] for other scripts.
//
// # chrF
//
// chrF compares n-grams of characters up to length 6, and recall counts twice as much as precision.
// chrF needs no tokenizer, and "parcels" has a chrF of 93 with "parcel". So it works well for
// languages with many word endings. Its values look high: 40 is bad. A "not" costs almost nothing.
// If you can report only one overlap metric for translation, take [ChrF].
//
// # BERTScore
//
// BERTScore pairs each token of one text with the most similar token of the other text, by the
// cosine of their vectors. The mean over the output's tokens is the precision, over the reference's
// tokens the recall. [EmbedTokens] takes the vectors from any langchaingo embedder. It embeds each
// token alone, so the vectors don't depend on the context, as those of the published BERTScore do.
//
// BERTScore misleads where embeddings do. "increased" and "decreased", or 250 and 520, have similar
// vectors, so a wrong number costs little. Values from different models can't be compared. With the
// published models almost all values lie between 0.8 and 1; BERTScoreOptions.Baseline rescales
// them.
//
// # Scores are sums
//
// A corpus score is computed from sums, so a [Metric] has no method that scores. Metric.Stats turns
// a segment into numbers that add up. Metric.Value turns their sum into a score. The picture shows
// BLEU.
//
//	segment 1 ─► [hyp len, ref len, matches…, totals…] ┐
//	segment 2 ─► [ …                                 ] ├─ Σ ─► Value ─► BLEU
//	segment 3 ─► [ …                                 ] ┘
//
// Sums let one piece of code serve many uses: a loop, a stream, parts on several machines, a slice
// by language, a bootstrap, a randomization test. [ScoreCorpus] scores lists of texts. [Sum] scores
// a stream in constant memory. A [Table] keeps the rows for the tests of eval/stats.
//
// # Which metric
//
// The right metric depends on the form of the answer. The list gives a first choice for each form.
//
//   - For short answers with a known truth, use [ExactMatch] and [TokenF1]. If a task can be
//     changed so that its answers are short, change it: nothing is measured better.
//   - For translation, use [ChrF], and [BLEU] to compare with papers. [TER] counts the edits that a
//     person would make.
//   - For summaries, use [ROUGE] and let people check the facts. [METEOR] and [BERTScore] accept
//     other words.
//   - For search and the retrieval half of a RAG system, use [Retrieval] with ndcg@10, recall@10 or
//     mrr.
//   - For JSON output and tool calls of agents, use [JSONMatch] and [ToolMatch].
//   - For generated code, run its tests and report [PassAtK].
//   - For classifiers and confidence, use [Confusion], [ROCAUC] and [CalibrationError].
//   - For speech and OCR, use [WER]. For what an answer took, use [NewLatency], [NewLatencyWithin],
//     [NewCost] and [NewTokenCount].
//   - For long free answers, overlap metrics are weak. Use a rubric with people or with a model as
//     judge; the notes of eval/stats explain judges, and package eval/judge has them.
//
// # A minimal program
//
// The program scores two translations with BLEU and prints the score with its signature.
//
//	bleu, err := eval.NewBLEU(nil)
//	if err != nil {
//		return err
//	}
//	outputs := []string{"The cat sat on the mat.", "It rains since the morning."}
//	references := [][]string{
//		{"The cat is sitting on the mat."},
//		{"It has been raining since the morning.", "It rains since morning."},
//	}
//	score, err := eval.ScoreCorpus(ctx, bleu, outputs, references)
//	if err != nil {
//		return err
//	}
//	fmt.Println(score) // BLEU|nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0 = 58.84
//
// # Measured
//
// Overlap metrics prefer a wrong answer in the words of the reference to a right answer in other
// words. The table shows three of six such pairs, as go run ./examples/lab05-metrics prints them.
//
//	                                    BLEU           chrF           ROUGE-L
//	trap                                right  wrong   right  wrong   right  wrong
//	negation ("is not safe")              5     50      25     86      14     92
//	number (520 euros for 250)            9     70      28     86      30     90
//	roles (who sued whom)                 6     21      53     75      29     60
//
// Scoring is fast enough for every commit. One core scores about 100,000 to 500,000 sentence pairs
// a second with BLEU, chrF, TER or ROUGE. That is 50 to 100 times the Python reference
// implementations, with the same values. The command sh eval/testdata/peers/run.sh fetches the
// peers and repeats the comparison.
//
// # Pitfalls
//
//   - Don't compare BLEU scores without their signatures: because another tokenizer moves the score
//     by several points. Compare with [Score.Minus], which refuses scores of different signatures.
//   - Don't read a skipped metric as a passed one: because a metric without references measured
//     nothing. Look at [Score] Skipped and Failed; a [SkipError] keeps both apart, and a gate over
//     nothing fails.
//   - Don't average sentence BLEUs: because long sentences must count more. Use [ScoreCorpus].
//   - Don't tune a prompt on the cases that you report: because the score then measures your
//     tuning. Split the dataset with dataset.Dataset's Split, and look at the second part only at
//     the end.
//   - Don't report one mean: because 0.90 may be 0.95 in English and 0.40 in German. Score slices
//     by language, kind and topic with eval/suite.
//   - Don't trust an overlap metric on facts: because "not", a number or a name is one word of
//     many. Check facts with exact match on extracted values, or with people.
//   - Don't take values of Python for granted elsewhere: because Python and Go differ on what a
//     space and a lower case letter are. The metrics here follow Python; Unicode punctuation
//     follows Go's tables.
//
// # Questions
//
// Which metric should I use? Choose by the form of the answer: [ExactMatch] for short answers,
// [ChrF] for translation, [ROUGE] for summaries, [NewRetrieval] for search, [JSONMatch] for
// structured output, [ToolMatch] for agents, [PassAtK] for code. For long free answers use a
// rubric. Add [NewLatency] and [NewCost] to each of them.
//
// Is a BLEU of 30 good? A BLEU score means nothing alone, since it depends on the language, the
// text, the number of references and the tokenizer. Compare two systems on the same data with the
// same signature. Google's documentation of translation models calls 30 to 40 "understandable to
// good", and less than 20 hard to follow.
//
// How do I compute BLEU or ROUGE in Go? Make the metric with [NewBLEU] or [NewROUGE], and call its
// method Score with one output and its references. For many texts call [ScoreCorpus], which returns
// the corpus score with its signature. [ROUGE] has several types, so its method Metrics returns one
// [Metric] for each.
//
// Why did my BLEU score change with another tokenizer? BLEU counts tokens, so another tokenizer
// gives other n-grams and another score. The same two sentences score 26.7, 53.1, 54.3, 54.3 and
// 79.9 with five tokenizers (go run ./examples/lab05-metrics). Nothing became better or worse.
// Score both systems again with one tokenizer.
//
// Which tokenizer should BLEU use? Use the default, 13a, for European languages and to compare with
// papers. Use zh for Chinese, and char for other languages without spaces. Set
// BLEUOptions.Tokenizer to the result of [NewTokenizer]; the name is part of the signature.
//
// What is the difference between BLEU and ROUGE? BLEU asks how much of the output is in the
// reference (precision) and is made for translation. ROUGE asks how much of the reference is in the
// output (recall) and is made for summaries. Both count n-grams, and neither understands the
// sentence.
//
// Why does my correct answer get a low BLEU or ROUGE score? A correct answer in other words shares
// few n-grams with the reference, so overlap metrics score it low. Add more references, ask the
// system for a short answer, use [METEOR] or [BERTScore], or let people grade. A low overlap isn't
// proof of a wrong answer.
//
// Why are BLEU and ROUGE bad for chatbots? BLEU and ROUGE count shared words, and a chatbot's good
// answers have many different wordings. They also miss a changed fact: one "not" changes one word.
// For open dialog, use a rubric with human graders or a model as judge, and exact checks for facts.
//
// Should I use BERTScore or BLEU? Use BERTScore if right answers use other words than the
// reference, and if you have an embedding model for the language. Use BLEU to compare with
// published translation results. BERTScore costs a model call and its values depend on the model;
// BLEU costs nothing and is repeatable.
//
// What is the difference between ROUGE and BERTScore? ROUGE counts the words that an output shares
// with the reference, and BERTScore compares the vectors of their tokens. ROUGE misleads when a good
// summary uses other words. BERTScore misleads when a number or a negation is wrong, because the
// vectors stay near. Use ROUGE to compare with published summaries, and BERTScore for paraphrases.
//
// Does BERTScore detect wrong facts? BERTScore doesn't detect wrong facts reliably. Opposite words
// and other numbers have similar vectors, so "profits increased" and "profits decreased" get a high
// score. Check facts with exact match on the extracted value.
//
// How do I evaluate summaries? Report [ROUGE] F1 against two or more reference summaries, and let
// people check the facts of a sample. ROUGE can't see a wrong number or a missing "not". Good
// summaries don't reach 1: the BART paper (Lewis et al. 2020) reports a ROUGE-L of 40.9 of 100 on
// news.
//
// How do I evaluate generated code? Run the code against tests, in a sandbox. Generate several
// programs for each task and report pass@k with [NewPassAtK], whose function runs the tests. BLEU
// on code says little: a correct program can look different, and one wrong character can break it.
//
// What is the difference between precision and recall? Precision asks how much of what you returned
// is right. Recall asks how much of what is right you returned. Returning everything gives a recall
// of 1 and a poor precision; returning one safe item does the opposite. F1 is high only if both
// are.
//
// Which metric measures retrieval in a RAG system? Measure retrieval with recall@k first: a passage
// that isn't found can't be used. Use nDCG if judgments have grades and the order counts, and MRR
// if one good passage is enough. [NewRetrieval] takes names such as ndcg@10, recall@5, mrr and
// hit@3.
//
// How many references should a case have? One reference is enough for a closed answer such as a
// year. For free text, two to four references help, because overlap metrics then accept more
// wordings. Scores with different numbers of references can't be compared, so the number is in the
// signature (nrefs).
//
// What is exact match good for? Exact match is the fairest metric for answers that are short and
// closed: a label, a date, an amount, a name. It is too strict for sentences: "in 1969" is not
// "1969". [ExactMatch] ignores case, punctuation and articles; AnswerOptions.Raw turns that off.
//
// How do I measure JSON or structured output? Compare the parsed values, not the text. [JSONMatch]
// ignores the order of fields and the spelling of numbers, and finds the JSON in a code fence or a
// sentence. JSONMatchOptions.Partial gives part marks per field. Output without JSON scores 0.
//
// What is the difference between accuracy and F1? Accuracy counts all right labels. F1 looks at one
// class and combines its precision and recall. If one class is rare, accuracy hides that it is
// never found: use F1 per class, the macro average, or balanced accuracy of [Confusion].
//
// Can I compare perplexity of two models? You can compare perplexity per token only if both models
// have the same tokenizer. With different vocabularies, compare bits per byte: [NewPerplexity] with
// [PerplexityBitsPerByte]. A low perplexity doesn't mean right answers.
//
// How do I write my own metric? Call [NewMean] with a name and a function that returns a number for
// a case and an output. Return [Skip] if the metric doesn't apply. The metric then works in suites,
// slices, gates and significance tests. For a metric that isn't a mean, implement the four methods
// of [Metric].
//
// What does "signatures differ" mean? The error "signatures differ" ([ErrSignature]) means that two
// scores come from different metrics: another tokenizer, option, version, or number of references
// or segments. Score both outputs again with the same options on the same cases.
//
// What does "the case has no references" mean? The message "skipped: the case has no references"
// ([ErrNoReferences]) means that a case has no expected answer, so the metric can't score it. A
// suite counts the case as skipped. Add references to the case, or use a metric that needs none,
// such as latency or a check by [NewMean].
//
// Why is ROUGE 0 for my language? ROUGE's reference tokenizer keeps only ASCII letters and digits,
// so Chinese, Greek or Hindi text has no words and scores 0. Set ROUGEOptions.Tokenizer to
// [UnicodeTokenizer]. The score then differs from papers that used the original tokenizer.
//
// Are these metrics the same as in Python's sacrebleu, rouge-score or Hugging Face evaluate? The
// metrics agree with sacreBLEU 2.6.0, rouge-score 0.1.2, NLTK's METEOR, jiwer 4.0.0 and trec_eval
// on golden vectors made by those programs (go test ./eval -run Golden). The modules sacrebleu and
// rouge of Hugging Face evaluate call the same programs.
//
// # Lab
//
// Run the lab of the first half of lecture 5. It needs no network.
//
//	go run ./examples/lab05-metrics
//
// In part 1, look at the columns "right" and "wrong": a ✗ marks where the metric prefers the wrong
// answer. In part 2, compare the five BLEU scores of the same outputs and find what differs in
// their signatures. In part 3, compare the mean of sentence scores with the corpus score. Use -html
// metrics.html for the figure.
//
// # Exercises
//
//  1. Write two summaries, a true and a false one, such that ROUGE prefers the false one. How many
//     words had to change?
//  2. Score the same output with BLEU's five tokenizers. Which two scores are closest, and why can
//     they still not be compared?
//  3. Write a metric that is 1 where the answer is in the question's language, and add it to a
//     suite with [NewMean].
//  4. How many cases does exact match need before a change from 0.80 to 0.82 is significant?
//     Estimate, then use eval/stats to check.
//
// # Further reading
//
//   - Papineni, Roukos, Ward, Zhu 2002: BLEU, a Method for Automatic Evaluation of Machine
//     Translation
//   - Post 2018: A Call for Clarity in Reporting BLEU Scores (sacreBLEU)
//   - Lin 2004: ROUGE, a Package for Automatic Evaluation of Summaries
//   - Popović 2015, 2017: chrF and chrF++
//   - Snover et al. 2006: A Study of Translation Edit Rate
//   - Lavie, Agarwal 2007: METEOR
//   - Zhang et al. 2020: BERTScore
//   - Rajpurkar et al. 2016, 2018: SQuAD; Yang et al. 2018: HotpotQA
//   - Järvelin, Kekäläinen 2002: Cumulated Gain-based Evaluation of IR Techniques; the trec_eval
//     program
//   - Mathur, Baldwin, Cohn 2020: Tangled up in BLEU
//   - Reiter 2018: A Structured Review of the Validity of BLEU
//   - This package's example "Plain BLEU" (example_reference_test.go): BLEU's counting as it
//     is defined, with its traps.
package eval
