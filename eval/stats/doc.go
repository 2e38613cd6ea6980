// Package stats decides whether a difference between two systems is real, how
// large it may be, and when one may stop looking.
//
// # The lecture
//
// Lectures 6 and 16. A team changes a prompt. On 200 questions the old one
// scores 71.0 %, the new one 74.5 %. Ship it? Ask a second 200 questions and the
// new one may be behind: with a standard error of 3.2 points a side, a difference
// of 3.5 is weather. This package is the instrument that tells weather from
// climate. It has no opinion on what a good score is, only on what a score is
// evidence of.
//
// Three questions come up, in this order.
//
//	before    How many questions do I need?        Design
//	during    May I stop now?                      MixtureSPRT, BernoulliSequence, SPRT
//	after     Is it real, and how large is it?     a paired test, an interval
//
// # Pair, always
//
// Both systems answered the same questions. A question that is hard for both
// drags both averages down and is no evidence of a difference, so work on
// the differences: the standard error of [PairedEstimate] is that of
// [UnpairedEstimate] less the covariance. Comparing two averages instead throws away
// what is often half of the data.
//
//	res, err := stats.PairedT(newScores, oldScores, stats.AlternativeTwoSided)
//	ci, err := stats.PairedTInterval(newScores, oldScores, 0.95)
//
// # Which test
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
// A corpus metric isn't the mean of its segments' scores, so no test on scores
// fits it. What adds up is its sufficient statistics: for BLEU, lengths and
// counts of n-grams. [PairedBootstrap] and [ApproximateRandomization] take them as
// rows with a function from sums to the score; that is the form of the metrics
// of package eval. The random streams are NumPy's, so that a p-value printed by
// sacreBLEU with seed 12345 is printed here to the last digit.
//
// # What a p-value is not
//
// P is the probability of data at least this far from "no difference", if there
// is none. It isn't the probability that there is no difference; it isn't the
// size of anything; and 1 - P isn't the chance that a repetition agrees. With
// 100,000 questions a gain of 0.1 points is significant and worthless; with 30,
// a gain of 10 points is not significant and may be worth a look. So a p-value
// isn't a decision. A decision weighs the interval of the effect against what
// the change costs:
//
//	the interval           means
//	[+0.8, +5.2]           better; at least by 0.8
//	[-1.9, +6.1]           undecided: from a little worse to much better
//	[-0.4, +0.5]           no difference that matters, whatever P is
//
// "Not significant" with the second interval means that the experiment was too
// small. [Design.DetectableT] shows how small: it is the effect that would have
// been seen with 80 % probability.
//
// # Peeking
//
// A fixed-size test promises 5 % false alarms for one look, at a size chosen
// beforehand. Look after every observation and stop at the first P <= 0.05, and
// the promise is void: of a thousand experiments of up to 1500 pairs in which
// nothing differed, 441 stopped with a discovery (go run ./examples/lab06-abtest
// counts them); with patience all of them do, since a random walk crosses every
// square-root boundary. The remedies:
//
//   - Fix the size with [Design] and look once.
//   - Use a test that holds at all times together. [MixtureSPRT] and
//     [BernoulliSequence] carry evidence E that is at most 1 on average if
//     nothing differs; the chance that it ever reaches 1/alpha is at most alpha
//     (Ville, 1939), so E >= 20 may be acted upon whenever it happens.
//   - With two known rates, such as a canary's allowed and alarming error rate,
//     [SPRT] decides with half of the observations on average.
//
// A program of the third kind is a few lines:
//
//	canary, _ := stats.NewSPRT(0.01, 0.03, &stats.SPRTOptions{Alpha: 0.05, Beta: 0.1})
//	for failed := range outcomes {
//		switch canary.Add(failed) {
//		case stats.VerdictAcceptH1:
//			return rollback()
//		case stats.VerdictAcceptH0:
//			return promote()
//		}
//	}
//
// # Many questions at once
//
// Twenty metrics, or one metric on twenty slices, make one false discovery at
// 5 % if nothing changed. Name the one that decides before the run; adjust the
// others with [Adjust]: [AdjustmentHolm] where any false claim hurts, [AdjustmentBenjaminiHochberg]
// where a share of them is tolerable. For a dashboard of running experiments
// there is [RejectByEvidence], which stays right while one looks.
//
// # Can the judge be trusted?
//
// Before a model grades for people, compare it with them: [CohenKappa] (with
// [WeightingQuadratic] for scales), [KrippendorffAlpha] for any number of raters with
// gaps, [GwetAC] where one category is rare and kappa's paradox bites. The
// ceiling isn't 1 but the people's agreement among themselves.
//
// # Live traffic
//
// [Experiment] assigns users to arms by hash; [SampleRatioMismatch] checks that
// assignment and logging work, and goes first: if it fails, nothing else of the
// experiment may be read. [CUPED] takes out of the metric what was known about
// the user before. For lecture 16, [KolmogorovSmirnov], [PSI] and their relatives
// compare a day with a reference, [CUSUM] and [EWMA] watch a stream; they detect that
// something changed, not that it matters.
//
// # What to report
//
//  1. the number of questions, and of clusters if there are any;
//  2. both scores, the difference, and its 95 % interval;
//  3. the test by name, with variant, seed and resamples, and P to two digits;
//  4. how many comparisons were made, and the adjustment;
//  5. the smallest effect that could have been found, if nothing was;
//  6. that the size was fixed, or the name of the sequential test.
//
// # Pitfalls
//
//   - Tuning on the test questions, then testing on them: the p-value answers
//     for questions drawn anew.
//   - Several samples of one question counted as so many questions.
//   - A temperature above 0 and one answer a question: rerun noise is part of
//     the difference. Average some answers a question, then pair.
//   - Overlapping intervals of two scores read as "no difference": the interval
//     of the difference decides, and it is narrower.
//   - Dropping the questions where a system failed to answer.
//
// # Exercises
//
//  1. Simulate 1000 A/A tests with a look after each of 1000 users. How often
//     does the t test ever report P < 0.05? How often does MixtureSPRT? Compare with
//     examples/lab06-abtest.
//  2. How many questions does a gain from 71 % to 74.5 % need? Compute it for two
//     independent sets ([Design.SampleSizeProportions]) and for pairs of which 10 %
//     change from wrong to right and 6.5 % from right to wrong.
//  3. Take 95 % agreement on two categories, 94 % of them "good". Compute
//     CohenKappa and GwetAC, and explain the gap to a product manager.
//  4. Bootstrap the maximum of 50 values. Why is the interval wrong at any n?
//  5. Feed MixtureSPRT an EffectVariance ten times too large and ten times too
//     small. What does it cost? Does it ever break the promise?
//
// # Errors
//
// Every function refuses what it can't answer for with an [*InputError]:
// unequal lengths, NaN, too few observations. A bad parameter or option, such as
// a level outside (0, 1) or a nil function, wraps [ErrOption]. A statistic that
// is 0/0 on sound data, such as kappa when all ratings are equal, is
// [ErrUndefined] and never a 1 or a 0 in disguise. A number too large for a float64
// is [ErrOverflow]; the results that may be infinite or NaN with a nil error are
// named in the functions' comments.
//
// # Further reading
//
//   - Miller, "Adding Error Bars to Evals: A Statistical Approach to Language
//     Model Evaluations", arXiv:2411.00640
//   - Kohavi, Tang, Xu, "Trustworthy Online Controlled Experiments", 2020
//   - Johari, Koomen, Pekelis, Walsh, "Peeking at A/B Tests", KDD 2017
//   - Ramdas, Grünwald, Vovk, Shafer, "Game-Theoretic Statistics and Safe
//     Anytime-Valid Inference", arXiv:2210.01948
//   - Dror, Baumer, Shlomov, Reichart, "The Hitchhiker's Guide to Testing
//     Statistical Significance in Natural Language Processing", ACL 2018
//   - Efron, Tibshirani, "An Introduction to the Bootstrap", 1993
//   - Gwet, "Handbook of Inter-Rater Reliability", 2014
package stats
