// Package stats decides whether a difference between two systems is real, how large it may be, and
// when you may stop looking. Its notes are lecture 6: judges, A/B tests and the statistics of both.
//
// # What you will be able to do
//
//   - Compute before an experiment how many questions or users it needs.
//   - Choose a test for paired scores, right-or-wrong answers, preferences and corpus metrics.
//   - Explain what a p-value is not, and report an interval in its place.
//   - Explain why looking every day breaks an A/B test, and which tests allow it.
//   - Use a model as judge, name its biases, and prove with people's labels that it can be trusted.
//
// # The problem
//
// A team changes a prompt. On 200 questions the old prompt scores 71.0 % and the new one 74.5 %,
// and the team releases it. On a second 200 questions the new prompt is worse than the old one. If
// nothing differs, two scores on 200 questions each are 3.5 points or more apart in 43 % of
// comparisons.
//
// The same team lets a model grade the answers. The judge prefers the new prompt in 60 % of pairs.
// Then a colleague swaps the order of the two answers, and the judge prefers the old prompt in 58 %
// of pairs. The judge had preferred the answer that it read first.
//
// # The idea
//
// A score is a measurement with an error, and this package computes the error. It doesn't say what
// a good score is. It says what a score is evidence of. Three questions come in this order.
//
//	before    How many questions do I need?        Design
//	during    May I stop now?                      MixtureSPRT, BernoulliSequence, SPRT
//	after     Is it real, and how large is it?     a paired test, an interval
//
// A judge is a measuring instrument as well. A judge that was not compared with people is an
// instrument without calibration. So the agreement between the judge and people is measured first
// ([CohenKappa], [KrippendorffAlpha]), and the judge's scores are compared with the same tests.
//
// # Terms
//
//   - LLM-as-judge (also: LLM as a judge, model-graded evaluation, AI judge, judge model): An
//     LLM-as-judge is a model that grades the output of a system by a prompt with instructions. It
//     is used for long free answers, where word overlap fails.
//   - Rubric (also: grading guide, grading criteria, scoring rubric): A rubric is a list of
//     criteria with a description of what each grade means. A rubric with yes/no questions gives
//     steadier grades than "rate from 1 to 10".
//   - Pairwise comparison (also: side-by-side, head-to-head, preference): A pairwise comparison
//     asks a judge which of two answers is better. It is easier than an absolute grade, and it is
//     open to position bias.
//   - Pointwise grading (also: direct scoring, single-answer grading): Pointwise grading gives one
//     answer a grade by itself. The grades of a judge drift and bunch at the top of the scale.
//   - Position bias (also: order bias): Position bias means that a judge prefers the answer in a
//     certain place, often the first. Ask in both orders, and count a win only if both verdicts
//     agree.
//   - Length bias (also: verbosity bias): Length bias means that a judge prefers the longer answer,
//     even if it says no more. Compare answers of similar length, or test whether length predicts
//     the verdict.
//   - Self-preference bias (also: self-enhancement bias, self-bias): Self-preference bias means
//     that a judge prefers answers of its own model or model family. Use a judge from another
//     family than the systems that it compares.
//   - Win rate: Win rate is the share of pairwise comparisons that a system wins, ties counted as
//     half. 50 % means no difference.
//   - Faithfulness (also: groundedness): Faithfulness is the share of the claims of an answer that
//     the retrieved passages support. A low faithfulness means hallucination.
//   - Answer relevance (also: answer relevancy, response relevancy): Answer relevance says whether
//     the answer addresses the question. RAGAS lets a model write questions that the answer would
//     fit, and compares their vectors with the question's.
//   - Context precision (also: contextual precision): Context precision says whether the relevant
//     passages are at the top of what was retrieved. It is the mean of precision@k over the ranks
//     of the relevant passages.
//   - Context recall (also: contextual recall): Context recall is the share of the claims in the
//     reference answer that the retrieved passages contain. A low context recall means that the
//     search missed something.
//   - RAGAS: RAGAS is a Python library with metrics for RAG systems: faithfulness, answer
//     relevance, context precision and context recall. Most of them ask a model as judge.
//   - OpenAI Evals: OpenAI Evals is a Python framework with a registry of evaluations: JSONL
//     samples, simple checks such as match and includes, and model-graded checks with a fixed list
//     of choices.
//   - DeepEval: DeepEval is a Python library that runs model-graded metrics as pytest tests, each
//     with a threshold. It has G-Eval, RAG metrics and agent metrics.
//   - G-Eval: G-Eval is a way to use a judge: the model first writes evaluation steps from the
//     criteria, then gives a grade, and the grade is averaged over the probabilities of the grade
//     tokens.
//   - Null hypothesis: The null hypothesis is the statement that nothing differs. A test asks how
//     surprising the data would be if the null hypothesis were true.
//   - P-value (also: p value, p): A p-value is the probability of data at least this far from "no
//     difference", if there is no difference. It is not the probability that there is no
//     difference.
//   - Statistical significance (also: significant, significance level, alpha): Statistical
//     significance means that a p-value is at most a level chosen before, usually 0.05. It does not
//     mean that the difference is large or matters.
//   - False positive (also: type I error, false alarm): A false positive is a test that reports a
//     difference where there is none. A level of 0.05 allows 5 % of them.
//   - Power (also: statistical power, type II error): Power is the chance that a test detects a
//     difference of a given size that is really there. 0.8 is usual. One minus power is the chance
//     of a type II error.
//   - Sample size (also: n, number of samples): Sample size is the number of questions, pairs or
//     users in an experiment. Half the difference needs four times the sample size.
//   - Minimum detectable effect (also: MDE): The minimum detectable effect is the smallest
//     difference that an experiment of this size finds with the wanted power. [Design.DetectableT]
//     computes it.
//   - Effect size (also: Cohen's d, Cliff's delta): An effect size says how large a difference is,
//     independent of the sample size. [CohenD] divides the difference by the standard deviation:
//     0.2 is called small, 0.5 medium, 0.8 large.
//   - Standard error (also: SE, error bar): A standard error is the typical distance between a
//     score and the score on all questions that could have been asked. For a mean it is sd/√n.
//   - Confidence interval (also: CI, 95 % interval): A confidence interval is a range computed from
//     the data. A 95 % interval covers the true value in 95 % of repetitions of the experiment.
//   - Confidence sequence (also: anytime-valid interval): A confidence sequence is a series of
//     intervals, one after each observation, that all cover the true value together with 95 %
//     probability. You may look at any time.
//   - Bootstrap (also: bootstrapping, resampling): The bootstrap draws the data again with
//     replacement, many times, and looks at how much the score varies. [Bootstrap] works for any
//     statistic of one sample.
//   - Permutation test (also: randomization test, approximate randomization): A permutation test
//     swaps the scores of two systems at random and counts how often the difference is as large as
//     the real one. [PairedPermutation] does it for means.
//   - Paired test (also: paired comparison, paired t test): A paired test works on the differences
//     of two systems on the same questions. It finds smaller differences than a comparison of two
//     averages, since hard questions cancel out.
//   - McNemar's test: McNemar's test compares two systems that were judged right or wrong on the
//     same questions. Only the questions on which they differ count.
//   - A/B test (also: AB test, split test, online experiment): An A/B test gives users at random
//     one of two variants and compares a metric. [Experiment] assigns the users.
//   - A/A test (also: AA test): An A/A test gives both groups the same variant. A difference that
//     it finds is a false alarm, so it checks the experiment itself.
//   - Peeking (also: optional stopping): Peeking means to look at a running test again and again
//     and to stop when p is below 0.05. It makes false alarms far more frequent than 5 %.
//   - Sequential test (also: SPRT, anytime-valid test, mixture SPRT): A sequential test may be
//     looked at after each observation and keeps its promise about false alarms. [MixtureSPRT],
//     [BernoulliSequence] and [SPRT] are such tests.
//   - Sample ratio mismatch (also: SRM): A sample ratio mismatch means that the groups of an A/B
//     test don't have the planned sizes. It shows a fault in assignment or logging.
//     [SampleRatioMismatch] tests it: 1,500 against 1,300 users in a 50/50 test has p = 0.0002, and
//     below 0.001 is an alarm.
//   - Guardrail metric: A guardrail metric is a metric that must not get worse while another one is
//     improved: latency, cost, complaints, refused answers.
//   - Multiple comparisons (also: multiple testing, Bonferroni, Holm, false discovery rate):
//     Multiple comparisons mean that many tests are made at once. Twenty tests at 5 % give at least
//     one false alarm in 64 % of cases. [Adjust] corrects p-values.
//   - Kappa (also: Cohen's kappa, inter-annotator agreement, inter-rater agreement): Kappa is the
//     agreement of two raters beyond what chance gives: 1 is full agreement, 0 is chance.
//     [CohenKappa] computes it.
//   - Krippendorff's alpha: Krippendorff's alpha is an agreement for any number of raters, any
//     scale, and missing ratings. 0.8 is usually wanted, and below 0.667 the ratings are not
//     usable.
//   - CUPED: CUPED removes from a metric what was known about each user before the experiment, so
//     fewer users are needed. [CUPED] computes it.
//   - Trajectory evaluation (also: agent evaluation, tool-call accuracy): Trajectory evaluation
//     compares the steps of an agent, its tool calls in order, with expected steps. Outcome
//     evaluation looks only at the result.
//   - Drift (also: PSI, population stability index, Kolmogorov-Smirnov): Drift means that today's
//     values have another distribution than those of a reference period. [PSI] and
//     [KolmogorovSmirnov] measure it; lecture 16 uses them.
//
// # A model as judge
//
// A model as judge reads the question, the answer and a rubric, and returns a grade. It costs a
// call per answer, in place of minutes of a person. Zheng et al. 2023 found that GPT-4 agrees with
// people in more than 80 % of pairs, which is as often as people agree with each other. Package
// [github.com/prodailabs/prodai/eval/judge] makes a judge of any langchaingo model, and this
// package measures whether the judge can be trusted.
//
// A judge has three known biases: position, length and self-preference. Zheng et al. 2023 found
// that GPT-4 gave the same verdict in both orders for only 65 % of pairs. A judge can also be wrong
// about facts that it doesn't know, and a confident tone can persuade it. It may follow
// instructions that an answer contains ("give this answer 10 points").
//
// A good rubric asks for one thing at a time. Ask "Does the answer name the refund period of 14
// days? yes or no", and not "Rate the quality from 1 to 10". Give an example for each grade. Let
// the judge write its reason before the grade. Give it the reference answer if there is one.
//
// # Guardrails for automated evaluation
//
// An automated evaluation needs guardrails, because a broken judge gives numbers that look normal.
// The list names the checks that keep a judge honest.
//
//   - Calibrate the judge: let people label 100 to 200 answers, and compute [CohenKappa] between
//     judge and people. Compare it with the kappa between two people, which is the ceiling.
//   - Pin the judge: fix the model's version, the prompt and the temperature. A new version is a
//     new instrument, so calibrate it again and don't compare its scores with the old ones.
//   - Cancel position bias: ask the judge in both orders, and count a changed verdict as a tie.
//   - Mix in control cases: give the judge some answers with a known verdict, such as an answer to
//     another question. Fail the run if the judge gets them wrong.
//   - Report unreadable verdicts: a verdict of the judge that can't be parsed is an error, and
//     never a bad or good grade.
//   - Protect the judge from instructions in answers: put the answer between markers and say in the
//     judge's prompt that it is data (package guard/injection finds such instructions).
//   - Audit the judge: let a person read a sample of its verdicts each week, and bound the cost of
//     its calls.
//
// # Evaluation of RAG systems and agents
//
// A RAG system has two halves, so measure them apart. For the search, use context recall and
// context precision, or recall@k and nDCG of [github.com/prodailabs/prodai/eval.NewRetrieval] if
// the relevant documents are known. For the answer, use faithfulness and answer relevance. A wrong
// answer with a high context recall is a fault of the model or prompt; with a low one, of the
// search.
//
// An agent is measured by its result first, and by its path second. Check the final state: is the
// ticket closed, is the booking there? Compare tool calls with
// [github.com/prodailabs/prodai/eval.NewToolMatch], but allow other ways to the goal. Repeat each
// task and report pass^k: an agent that is right in 90 % of tries is right eight times in a row in
// 43 %. Report steps, cost and latency too.
//
// # Pair, always
//
// Both systems should answer the same questions, and the test should work on the differences. A
// question that is hard for both lowers both averages and is not evidence of a difference. The
// standard error of [PairedEstimate] is that of [UnpairedEstimate] less the covariance. A
// comparison of two averages throws away what is often half of the data.
//
// # Which test
//
// The test depends on the form of the scores. The table lists the form, the test, and the number
// that says how large the difference is.
//
//	the scores are                      test                          effect
//	numbers, one a question             PairedPermutation, PairedT    PairedTInterval, CohenDz
//	right or wrong                      McNemar (McNemarMidP)         NewcombeInterval
//	ordered only (a judge's 1 to 5)     Wilcoxon, SignTest            CliffsDelta
//	which of two is better              SignTest, BernoulliSequence   ProportionInterval
//	a corpus metric (BLEU, F1, nDCG)    ApproximateRandomization      PairedBootstrap's Delta
//	counts of independent users         TwoProportionZ, FisherExact   NewcombeInterval
//	several per passage or user         one mean a cluster, or        ClusteredEstimate
//
// A corpus metric isn't the mean of its segments' scores, so no test on scores fits it. Its
// sufficient statistics add up: for BLEU, lengths and counts of n-grams. [PairedBootstrap] and
// [ApproximateRandomization] take them as rows, in the form of package eval. The random streams are
// those of NumPy, so a p-value that sacreBLEU prints with seed 12345 is the same here.
//
// # What a p-value is not
//
// A p-value isn't the probability that nothing differs, isn't the size of anything, and isn't the
// chance that a repetition agrees. With a million users in each group a gain from 50.0 % to 50.2 %
// is significant (p = 0.005) and may be worthless. With 30 questions a gain of 10 points isn't
// significant and may be worth a second look.
//
// A decision weighs the interval of the effect against the cost of the change. The table shows how
// to read three intervals, in points.
//
//	the interval           means
//	[+0.8, +5.2]           better; at least by 0.8
//	[-1.9, +6.1]           undecided: from a little worse to much better
//	[-0.4, +0.5]           no difference that matters, whatever P is
//
// "Not significant" with a wide interval means that the experiment was too small.
// [Design.DetectableT] shows the effect that would have been found with a probability of 80 %.
//
// # Peeking
//
// A test of a fixed size promises 5 % false alarms for one look, at a size chosen before. A look
// after each observation breaks the promise, because each look is another chance to be wrong. With
// enough patience every A/A test becomes "significant" at some moment.
//
// Three remedies exist for peeking. Fix the size with [Design] and look once. Or use a test that
// holds at all times together: [MixtureSPRT] and [BernoulliSequence] collect evidence E that is at
// most 1 on average if nothing differs, so E ≥ 20 happens in at most 5 % of experiments (Ville
// 1939). Or, with two known rates such as a canary's allowed and alarming error rate, use [SPRT].
//
// # Many questions at once
//
// Twenty metrics, or one metric on twenty slices, make one false discovery at 5 % on average if
// nothing changed. Name the metric that decides before the run. Adjust the others with [Adjust]:
// [AdjustmentHolm] if any false claim hurts, [AdjustmentBenjaminiHochberg] if a share of them is
// tolerable. For a dashboard of running experiments there is [RejectByEvidence].
//
// # Live traffic
//
// A live A/B test assigns users, checks the assignment, and then compares. [Experiment] assigns by
// a hash of the user's id. [SampleRatioMismatch] comes first: if it fails, nothing else may be
// read. [CUPED] uses what was known about each user before. [KolmogorovSmirnov], [PSI], [CUSUM] and
// [EWMA] compare a day with a reference for lecture 16; they detect a change, not whether it
// matters.
//
// # What to report
//
// A report of a comparison has six things, so that a reader can judge it.
//
//  1. The number of questions, and of clusters if there are any.
//  2. Both scores, the difference, and its 95 % interval.
//  3. The test by name, with variant, seed and resamples, and P to two digits.
//  4. How many comparisons were made, and the adjustment.
//  5. The smallest effect that could have been found, if nothing was found.
//  6. That the size was fixed before, or the name of the sequential test.
//
// # A minimal program
//
// The program compares two versions on the same questions, and watches a canary.
//
//	test, err := stats.PairedPermutation(newScores, oldScores, nil)
//	if err != nil {
//		return err
//	}
//	ci, err := stats.PairedTInterval(newScores, oldScores, 0.95)
//	if err != nil {
//		return err
//	}
//	fmt.Printf("gain %.3f, 95 %% interval [%.3f, %.3f], p = %.4f\n", test.Statistic, ci.Low, ci.High, test.P)
//
//	canary, err := stats.NewSPRT(0.01, 0.03, nil) // 1 % of errors is allowed, 3 % is alarming
//	if err != nil {
//		return err
//	}
//	for failed := range outcomes {
//		switch canary.Add(failed) {
//		case stats.VerdictAcceptH1:
//			return rollback()
//		case stats.VerdictAcceptH0:
//			return promote()
//		}
//	}
//
// # Measured
//
// Peeking multiplies false alarms. In 1,000 experiments of 1,500 pairs nothing differed, at a level
// of 5 %. The table shows how many announced a difference (go run ./examples/lab06-abtest).
//
//	way of reading                        false alarms   promise of 5 %
//	fixed test, one look at the end              6.1 %   kept (interval 4.8 to 7.8)
//	fixed test, a look every 200 pairs          18.0 %   broken
//	fixed test, a look at every pair            44.1 %   broken
//	mixture SPRT, every pair                     2.4 %   kept
//	exact e-value, every pair                    3.7 %   kept
//
// # Pitfalls
//
//   - Don't stop an A/B test at the first p below 0.05: because 44 % of tests without a difference
//     get there. Fix the size, or use [MixtureSPRT].
//   - Don't trust a judge without people's labels: because its biases look like results. Compute
//     [CohenKappa] on at least 100 labeled answers first.
//   - Don't let a model judge its own answers against another model's: because of self-preference.
//     Use a judge of another family.
//   - Don't show the judge the two answers in one order only: because of position bias. Ask in both
//     orders.
//   - Don't tune on the test questions and then test on them: because the p-value assumes questions
//     drawn anew. Keep a held-out set.
//   - Don't count several samples of one question as so many questions: because they rise and fall
//     together. Use one mean a question, or [ClusteredEstimate].
//   - Don't read overlapping intervals of two scores as "no difference": because the interval of
//     the difference decides, and it is narrower. Use [PairedTInterval].
//   - Don't drop the questions where a system failed to answer: because failures are not random.
//     Count them as wrong, or report them apart.
//   - Don't choose a one-sided test after seeing the data: because that doubles the false alarms.
//     Choose the [Alternative] before.
//
// # Questions
//
// What is an LLM judge, and when should I use one? An LLM judge is a model that grades answers by a
// rubric. Use it for long free answers, where there is no single right wording: tone, completeness,
// whether an answer follows the sources. Use exact match, a test or a rule wherever one of these
// can decide; they are cheaper and don't vary.
//
// Should I use human evaluation or an LLM judge? Use people for the labels that calibrate the
// judge, for rare and serious decisions, and for a sample each week. Use a judge for the thousands
// of answers between them. A judge is much faster and cheaper than a person, and it is right less
// often.
//
// Can I trust an LLM such as GPT-4 to grade the answers of my bot? You can trust an LLM judge as
// far as its agreement with people goes. Label 100 to 200 answers by hand, and compute [CohenKappa]
// between judge and people, and between two people. If the two kappas are close, the judge is as
// good as a person on this task. Repeat that for each new judge model or prompt.
//
// What are the biases of LLM judges? The known biases of LLM judges are position bias (the first
// answer wins), length bias (the longer answer wins) and self-preference (the judge's own model
// wins). Judges also like a confident tone and lists. Ask in both orders, compare answers of
// similar length, and use a judge from another model family.
//
// How do I fix position bias? Ask the judge twice, with the two answers swapped. Count a win only
// if both verdicts name the same answer, and a tie otherwise. Then test the wins with [SignTest] or
// watch them with [BernoulliSequence]. It costs two calls a pair.
//
// How do I reduce length bias? To reduce length bias, say in the rubric that a longer answer is not
// better, and ask for facts one by one. Limit both systems to the same number of tokens. Then
// check: compare the verdicts with the lengths ([Spearman]). If the longer answer wins far more
// often than people say, the judge is biased.
//
// How do I write a good rubric? Write one criterion a line, each a yes/no question about something
// that can be seen in the answer. Describe what each grade means and give an example. Let two
// people use the rubric on 30 answers; where they disagree, the rubric is unclear. Then give the
// same text to the judge.
//
// Should a judge give a score or compare two answers? Comparing two answers is more reliable,
// because "which is better" is easier than "how good". A score is needed if there is only one
// system, or for a threshold in a build. For a score use few grades, such as 0 and 1, or 1 to 3.
//
// Which judge model should I use? Use a model at least as strong as the one that is judged, from
// another family, with a pinned version and a temperature of 0. A small model may be enough for
// yes/no questions about facts that are in the prompt. Let its agreement with people decide, not
// its price.
//
// How much does an LLM judge cost? A judge costs one call for each answer, or two if both orders
// are asked. 500 pairs with 1,500 input tokens and 100 output tokens in both orders are 1.5 million
// input and 0.1 million output tokens. Multiply by the judge's price, and keep the verdicts so that
// nothing is graded twice.
//
// What is the difference between RAGAS, DeepEval and OpenAI Evals? RAGAS has metrics for RAG:
// faithfulness, answer relevance, context precision and recall. DeepEval runs many model-graded
// metrics as pytest tests. OpenAI Evals is a registry of evaluations with simple and model-graded
// checks. All three are Python; this library has metrics, a runner, judges (package eval/judge) and
// statistics in Go.
//
// How do I use RAGAS metrics in Go? Package eval/judge has RAGAS's formulas. They compute a score
// from verdicts, and the calls that split an answer into claims and ask for the verdicts are yours
// to write. Without a judge, measure the search with recall@k and nDCG (eval.NewRetrieval), and the
// answer with exact match on facts. Or write the outputs as JSONL and run RAGAS in Python.
//
// How do I evaluate a RAG system? Measure search and answer apart. For the search, label the
// relevant documents of 50 to 200 questions and compute recall@5 and nDCG@10 (eval.NewRetrieval).
// For the answer, check facts with exact match where possible, and faithfulness and answer
// relevance with a judge. Include questions that the documents don't answer.
//
// Is my retriever or my generator at fault? Look at the passages of the wrong answers. If the
// passage with the answer was not retrieved, the retriever is at fault: improve chunks, search or
// top-k. If it was retrieved and the answer is still wrong, the generator is at fault: improve the
// prompt or the model. Count both groups.
//
// How do I measure hallucinations? Split the answer into claims and count the share that the
// retrieved passages support: that share is the faithfulness. A judge or people give the verdicts,
// and judge.Faithfulness computes the share. CheckCitations of package retrieve/rag compares cited
// sentences with their passages by words. Also ask questions without an answer in the documents,
// and count how often the system admits that it doesn't know.
//
// What is faithfulness, and how is it different from correctness? Faithfulness asks whether the
// retrieved passages support each claim of the answer. Correctness asks whether the answer is true.
// A faithful answer can be wrong, if the passage is wrong or doesn't belong to the question.
// Measure both.
//
// How do I evaluate an agent? Check the final state of the task first, then the path of tool calls
// (eval.NewToolMatch), then steps, cost and latency. Run each task 4 to 8 times in a fresh
// environment, and report pass^k (eval.PassHatK). Accept several paths to the same goal. For
// conversations, let a second model play the user.
//
// How do I know if a new prompt is really better? Run the old and the new prompt on the same
// questions, 200 or more, and compare question by question: [McNemar] for right or wrong,
// [PairedPermutation] for scores. The new prompt is better if the 95 % interval of the difference
// ([PairedTInterval]) is above zero. Two averages side by side are not enough.
//
// How many samples do I need for an A/B test? The number depends on the difference that you want to
// see. From 80 % to 85 % needs 906 users in each group, from 80 % to 82 % needs 6,039, for a power
// of 0.8 at a level of 0.05. [Design.SampleSizeProportions] computes it. Half the difference needs
// four times the users.
//
// How many questions do I need to compare two prompts? On the same questions, a small effect (0.2
// standard deviations of the differences) needs 199 questions, and a medium one (0.5) needs 34
// ([Design.SampleSizePairedT]). 100 questions detect about 0.28 standard deviations
// ([Design.DetectablePairedT]).
//
// What does p = 0.03 mean? A p-value of 0.03 means: if there were no difference, data at least this
// far from zero would appear in 3 % of experiments. It doesn't mean that the new version is better
// with 97 % probability. Look at the interval of the difference to see how much better it may be.
//
// Is 74.5 % against 71 % a real improvement? On 200 questions each, 74.5 % against 71 % isn't
// evidence of an improvement: p is 0.43 by [TwoProportionZ], and the 95 % interval is -5 to +12
// points ([NewcombeInterval]). If both versions answered the same questions, use [McNemar], which
// is sharper. 2,540 questions in each group would find such a difference.
//
// Why can't I check my A/B test every day and stop when it looks good? A fixed test promises few
// false alarms for one look. With a look at every pair, 44 % of experiments without a difference
// announced one (go run ./examples/lab06-abtest). Look once at the planned size, or use a test that
// allows it, such as [MixtureSPRT].
//
// When may I stop an A/B test early? You may stop early with a sequential test: [MixtureSPRT] for
// numbers, [BernoulliSequence] for yes/no or preferences, [SPRT] for two known rates. You may also
// stop for harm, such as an error rate that doubles. Report the interval, since effects that stop a
// test early look larger than they are.
//
// How long should an A/B test run? An A/B test runs until it has the planned number of users, and
// for whole weeks, because weekends have other users than weekdays. With 1,000 users a day and 906
// users for each group, two days would be enough for the size; run seven. Don't stop at the first
// good day.
//
// What is the difference between an A/B test and a canary? An A/B test asks which variant is
// better, with users divided 50 to 50 for days. A canary asks whether a new version is broken, with
// a small part of the traffic, such as 1 to 5 %, for minutes or hours. [SPRT] decides a canary from
// the allowed and the alarming error rate; [Experiment] assigns an A/B test.
//
// Can I use thumbs up and down as an evaluation? Thumbs up and down show real opinions, but few
// users give them, and those who do are very happy or very angry. Use them to compare two variants
// in an A/B test, where both arms have the same bias, and to find cases for the dataset. Don't read
// the share itself as quality.
//
// How do I run an A/B test of two prompts? Choose one metric that decides and some guardrail
// metrics, and compute the size with [Design]. Assign users by [Experiment], not requests, so that
// each user sees one prompt. Check [SampleRatioMismatch] first. Run whole weeks. Then compare with
// [TwoProportionZ] or [WelchT], and report the interval.
//
// What is the difference between a confidence interval and a p-value? A p-value says how surprising
// the data are if nothing differs. A confidence interval says which differences fit the data. The
// interval contains more: if it leaves out zero, the p-value is below 0.05, and its ends show how
// small or large the effect may be.
//
// Which statistical test should I use to compare two models? If both models answered the same
// questions, use [McNemar] for right-or-wrong answers, [PairedPermutation] for numbers, [SignTest]
// for preferences, and [ApproximateRandomization] for BLEU or F1. If two groups of users got
// different models, use [TwoProportionZ] for shares and [WelchT] for numbers.
//
// Should I use a t test or a bootstrap? For the mean of scores with 30 or more questions, [PairedT]
// and the bootstrap agree. Use [PairedPermutation] for few questions or odd distributions. Use
// [PairedBootstrap] or [ApproximateRandomization] for corpus metrics such as BLEU, because those
// are not means.
//
// What is a good kappa? A kappa of 0.8 or more is usually called good, and 0.6 acceptable for
// difficult tasks. Compare with the kappa of two people on the same answers: a judge can't be
// better than that ceiling. If one category is rare, kappa is low even at high agreement; use
// [GwetAC] too.
//
// I compare 20 metrics and one is significant. Is it real? One of 20 metrics at 5 % is what chance
// gives: the probability of at least one false alarm is 64 %. Adjust the p-values with [Adjust] and
// [AdjustmentHolm], or decide before the run which metric counts.
//
// What if the result is not significant? A result that isn't significant doesn't prove that nothing
// differs. Look at the interval: if it is narrow around zero, there is no difference that matters.
// If it is wide, the experiment was too small; [Design.DetectableT] says what it could have found.
//
// What does "undefined for these data" mean? The error "undefined for these data" ([ErrUndefined])
// means that the statistic is 0/0 on these data, such as kappa if all ratings are equal, or a
// correlation with a constant. It is not a 0 or a 1. Collect data that vary, or use another
// statistic.
//
// # Errors
//
// Every function refuses input that it can't answer for with an [*InputError]: unequal lengths,
// NaN, too few observations. A bad option wraps [ErrOption]. A statistic that is 0/0 is
// [ErrUndefined]. A number too large for a float64 is [ErrOverflow]. Comments of functions name the
// results that may be infinite.
//
// # Lab
//
// Run the lab of lecture 6. It simulates 2,000 experiments in a few seconds, without network.
//
//	go run ./examples/lab06-abtest
//
// In the first table, look at which ways of reading keep the promise of 5 %. In the second table,
// compare how often each way finds a real lift of 5 points, after how many pairs, and how large it
// says the lift is: early stops announce too much. Use -out page.html for the plots.
//
// The lab of model choice compares three models by quality, cost and time on the same questions:
//
//	go run ./examples/lab02-model-choice
//
// Look at the model whose p-value shows no difference: the interval decides whether it is good
// enough.
//
// # Exercises
//
//  1. Simulate 1000 A/A tests with a look after each of 1000 users. How often does the t test ever
//     report P < 0.05? How often does MixtureSPRT? Compare with examples/lab06-abtest.
//  2. How many questions does a gain from 71 % to 74.5 % need? Compute it for two independent sets
//     ([Design.SampleSizeProportions]) and for pairs of which 10 % change from wrong to right and
//     6.5 % from right to wrong.
//  3. Take 95 % agreement on two categories, 94 % of them "good". Compute CohenKappa and GwetAC,
//     and explain the difference to a product manager.
//  4. Write a judge as a metric with eval.NewMean. Ask it in both orders on 30 pairs. How many
//     verdicts change?
//  5. Bootstrap the maximum of 50 values. Why is the interval wrong at any n?
//  6. Feed MixtureSPRT an EffectVariance ten times too large and ten times too small. What does it
//     cost? Does it ever break the promise?
//
// # Further reading
//
//   - Zheng et al. 2023: Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena, arXiv:2306.05685
//   - Liu et al. 2023: G-Eval, NLG Evaluation using GPT-4 with Better Human Alignment,
//     arXiv:2303.16634
//   - Es et al. 2023: RAGAS, Automated Evaluation of Retrieval Augmented Generation,
//     arXiv:2309.15217
//   - Yao et al. 2024: τ-bench, A Benchmark for Tool-Agent-User Interaction, arXiv:2406.12045
//   - Miller 2024: Adding Error Bars to Evals, arXiv:2411.00640
//   - Kohavi, Tang, Xu 2020: Trustworthy Online Controlled Experiments
//   - Johari, Koomen, Pekelis, Walsh 2017: Peeking at A/B Tests
//   - Ramdas, Grünwald, Vovk, Shafer 2022: Game-Theoretic Statistics and Safe Anytime-Valid
//     Inference, arXiv:2210.01948
//   - Dror, Baumer, Shlomov, Reichart 2018: The Hitchhiker's Guide to Testing Statistical
//     Significance in NLP
//   - Efron, Tibshirani 1993: An Introduction to the Bootstrap
//   - Gwet 2014: Handbook of Inter-Rater Reliability
//   - This package's example "Plain bootstrap" (example_reference_test.go): the bootstrap of a
//     corpus score as it is defined, with its traps.
package stats
