// Package semantic answers a question with the stored answer of a similar question,
// and measures how often that is wrong.
//
// # The problem
//
// An exact cache misses "How do I reset my password?" after "how can I reset the
// password". So a team of lecture 14 compares embedding vectors in place of texts, and
// takes the answer of any stored question above a similarity of 0.9. The hit rate
// doubles. A month later a customer asks how to turn dark mode off, and reads how to
// turn it on: the cosine of the two questions is 0.96, above that of most true
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
//   - Calibration: Calibration is the choice of a threshold by measured precision on
//     labeled pairs, with a bound for chance.
//   - Shadow mode: In shadow mode the cache gives no answer to a caller. It reports
//     what it would have answered beside the new answer, so that both can be compared
//     before it is switched on.
//
// # Measured
//
// The table shows 600 labeled pairs of Quora questions, 222 of them with the same
// answer, with the embedder of retrieve/embed. Duplicates without a label count as
// wrong. Two kinds of difference (the kind of question, the parts) were added to [Agree] after a look at wrong hits of
// this table; before that it left 20 of the 35 wrong hits at 0.90.
//
//	            without guard       with guard
//	threshold   right   wrong       right   wrong
//	0.80          128      93          93      35
//	0.90           75      35          61      11
//	0.95           49      11          42       6
//	0.99           26       1          24       1
//
// Calibration for at most 10 or 20 % wrong hits found no threshold in either column: 600
// pairs with so few hits don't show it. The lab prints such a table for pairs of its own:
//
//	go run ./examples/lab14-cache
//
// # Pitfalls
//
//   - Don't take a threshold from another project: it depends on the embedder and on
//     the questions. Do measure it on pairs of your own, with opposites among them.
//   - Don't measure on random pairs: almost all of them are easy. Do label pairs with a
//     high cosine, because only they can be hits.
//   - Don't use [Agree] for languages other than English: its words for negation and
//     opposites are English. Do pass a guard of your own.
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
