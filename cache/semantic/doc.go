// Package semantic answers a question with the stored answer of a similar question,
// and measures how often that is wrong.
//
// # The problem
//
// An exact cache misses "How do I reset my password?" after "how can I reset the
// password". So a team of lecture 14 compares embedding vectors in place of texts, and
// takes the answer of any stored question above a similarity of 0.9. The hit rate
// doubles. A month later a customer asks how to turn dark mode off, and reads how to
// turn it on: the cosine of the two questions is 0.95, above that of most true
// paraphrases. No threshold separates them.
//
// # The idea
//
// A vector shows that two questions are about the same subject. It doesn't show that
// they have the same answer. So a hit needs more than a threshold:
//
//	call ──► scope equal? ──► nearest, cosine ≥ threshold? ──► guard ──► Verify ──► hit
//	          │ tenant, model,   │                              │          │
//	          │ options, earlier │                              │          │
//	          │ messages         └─ no ─► model ◄───────────────┴──────────┘
//
// [Model] compares only the last message of the user, and only with questions whose
// whole context is equal, so "and in winter?" never gets the answer of another
// conversation. The guard, [Agree], compares numbers, negation, opposites, names and
// the order of words. [Evaluate] measures a threshold on labeled pairs of questions,
// and [Evaluation.Calibrate] refuses when none is good enough.
//
// Put this cache outside of an exact one: semantic.New(cache.New(model)). Equal calls
// in progress then share one call of the model, and no similar answer gets stored as
// an exact one.
//
// # Terms
//
//   - Scope: A scope is everything in a call but the question: tenant, namespace,
//     model, options and the messages before it. Questions are compared within one
//     scope only.
//   - Threshold (also: similarity threshold): A threshold is the cosine from which two
//     questions count as similar. A lower threshold gives more hits, and more wrong
//     ones.
//   - False hit (also: wrong hit): A false hit is a stored answer that was given to a
//     question with another answer. It looks like a right one, so only labeled pairs
//     or a shadow run can count it.
//   - Lexical guard (also: negative check): A lexical guard refuses a similar question
//     whose words show another meaning, such as another number, a "not", or the same
//     names in another order.
//   - Learned threshold (also: learned boundary, per-entry threshold): A learned threshold
//     is one that a stored answer has for itself, moved by what was seen of its reuse.
//     See [Learn].
//   - Calibration: Calibration is the choice of a threshold by measured precision on
//     labeled pairs, with a bound for chance.
//   - Shadow mode: In shadow mode the cache gives no answer to a caller. It reports
//     what it would have answered beside the new answer, so that both can be compared
//     before it is switched on.
//
// # Thresholds that answers learn
//
// A learned threshold belongs to one stored answer. "How do I reset my password?" serves
// whatever is roughly near it; "What is the status of order 48213?" is wrong for its
// nearest neighbor. With Options.Learn a question that is similar, and not similar enough
// yet, asks the model, and Learn.Same compares both answers. So the entry learns from
// which cosine on it may be used:
//
//	cosine ≥ the entry's threshold ──► hit, and every tenth hit asks the model too
//	       ≥ the threshold of New  ──► the model, then Same ──► the entry learns
//	       below                   ──► the model
//
// A new entry starts with what all entries together have learned. With twenty
// observations of its own it depends on them alone.
//
// A semantic cache that starts anew has forgotten what it paid for. With Options.Store and
// [Model.Load] the entries survive a restart, with their vectors and observations. An
// entry of another embedder isn't loaded, since its vector means something else.
//
// # Measured
//
// The first table shows 600 labeled pairs of Quora questions, 222 of them with the same
// answer, with the embedder of retrieve/embed. Duplicates without a label count as
// wrong. Two kinds of difference (the kind of question, the parts) were added to [Agree]
// after a look at wrong hits of this table with an older model; before that it left 20 of
// 35 wrong hits at 0.90.
//
//	            without guard       with guard
//	threshold   right   wrong       right   wrong
//	0.80          126      90          91      32
//	0.90           71      28          59      10
//	0.95           39       6          35       3
//	0.99           14       0          13       0
//
// Calibration for at most 10 or 20 % wrong hits found no threshold in either column: 600
// pairs with so few hits don't show it.
//
// The second table has all-MiniLM-L6-v2, run by retrieve/embed/bert, as the embedder. It
// needs some thousand times the work. Calibration for at most 20 % wrong hits, with the
// guard, found 0.97: 29 right hits and no wrong one. For 10 % it found none.
//
//	            without guard       with guard
//	threshold   right   wrong       right   wrong
//	0.80          178      85         119      37
//	0.90          102      30          80      16
//	0.95           55       8          47       4
//	0.99           14       0          12       0
//
// The third table shows learned thresholds on the same pairs, from none known at the
// beginning: means of 20 orders of the questions, for four values of Learn.MaxWrong. Each
// stored question is asked for about once, so entries learn from one another only.
//
//	                         without guard       with guard
//	embedder        MaxWrong right   wrong       right   wrong
//	retrieve/embed      0.05   0.3     0.2         0.6     0.1
//	                    0.10   1.2     0.6        10.4     0.8
//	                    0.20  26.4     4.0        38.0     5.8
//	                    0.30  53.1    19.5        54.1     9.9
//	MiniLM              0.05   0.5     0.5         1.6     0.1
//	                    0.10   2.0     1.1         7.5     1.4
//	                    0.20  27.8     3.4        39.8     4.7
//	                    0.30  63.0    14.8        63.3    12.6
//
// A learned threshold needs no labeled pairs, and here gains nothing over a good fixed
// one, such as 0.95. At 0.05 and 0.10 almost nothing is reused, as calibration would
// have it, and a large part of the few hits is wrong: an entry is used early because its
// first observations were lucky. The gain is where answers differ: in the lab, with 90
// questions to each of six answers, learned thresholds give 170 right hits and no wrong
// one, and a fixed one of 0.95 gives 6 right hits and 14 wrong ones.
//
// The tables come from the first command, the lab from the second:
//
//	cd internal/bench && PRODAI_PAIRS=FILE PRODAI_MINILM=DIR go test -v -run Similar ./cache
//	go run ./examples/lab14-semantic-false-hits
//
// # Pitfalls
//
//   - Don't take a threshold from another project: it depends on the embedder and on
//     the questions. Do measure it on pairs of your own, with opposites among them.
//
//   - Don't measure on random pairs: almost all of them are easy. Do label pairs with a
//     high cosine, because only they can be hits.
//
//   - Don't use [Agree] for languages other than English: its words for negation and
//     opposites are English. Do pass a guard of your own.
//
//   - Don't use Options.Learn for questions that are each asked once or twice: it learns too
//     little. Do count Stats.Unfit beside Stats.Compared: their ratio is the price of a
//     threshold that is too low.
//
// # Questions
//
// How do I choose the threshold of a semantic cache? To choose the threshold of a
// semantic cache, label some hundred pairs of real questions, and call [Evaluate] and
// [Evaluation.Calibrate] with the largest share of wrong hits that you accept. If the
// error wraps [ErrNoThreshold], use no semantic cache: cache equal calls only.
//
// Why does calibration find no threshold? Calibration finds no threshold if the wrong
// hits are too many at each one, or if the hits are too few to prove anything. Even
// without one wrong hit, 59 hits are needed to show with 95 % confidence at one
// threshold, and 113 when 16 are tried, that at most 5 % are wrong.
//
// Can a semantic cache leak data between customers? A semantic cache can leak data
// between customers if it searches all stored questions at once. Set Options.Tenant:
// the tenant is part of the scope, and no search crosses a scope. [Model.Delete]
// removes all entries of one tenant.
package semantic
